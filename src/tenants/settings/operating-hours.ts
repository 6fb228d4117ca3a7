import { ApiProperty } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsInt,
  Matches,
  Max,
  Min,
  ValidateBy,
  type ValidationArguments,
} from 'class-validator';
import { END_TIME, TIME, timeMessage } from './time-of-day.js';

/** The end of operating hours must differ from `from`; an earlier time means the next day. */
function DiffersFromFrom(): PropertyDecorator {
  const from = ({ object }: ValidationArguments) => (object as Partial<OperatingHoursSettings>).from;
  return ValidateBy({
    name: 'differsFromFrom',
    validator: {
      validate: (to: unknown, where) => where === undefined || to !== from(where),
      defaultMessage: () => '$property must differ from `from`; 00:00 to 24:00 is a whole day',
    },
  });
}

/** When mails and messages may be sent; critical ones always are. */
export class OperatingHoursSettings {
  @ApiProperty({ type: [Number], description: 'ISO days of the week on which the hours begin' })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(7)
  @ArrayUnique()
  @IsInt({ each: true })
  @Min(1, { each: true })
  @Max(7, { each: true })
  days: number[] = [1, 2, 3, 4, 5];

  @ApiProperty({ example: '08:00' })
  @Matches(TIME, timeMessage)
  from: string;

  @ApiProperty({
    example: '19:00',
    description: '24:00 is the end of the day; a time before `from` is on the next day',
  })
  @Matches(END_TIME, timeMessage)
  @DiffersFromFrom()
  to: string;
}
