import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ArrayUnique, ValidateBy } from 'class-validator';
import { type PeopleChannel, PEOPLE_CHANNELS } from '../../contracts/channels.js';
import {
  KIND_PEOPLE_CHANNELS,
  NOTIFICATION_KINDS,
  OPTIONAL_KINDS,
  type OptionalKind,
} from '../../contracts/kind-lists.js';
import { NestedList } from '../../platform/http/nested.js';

/** One kind of notification on one channel. */
export interface KindOnChannel {
  kind: OptionalKind;
  channel: PeopleChannel;
}

const OPTIONAL: readonly unknown[] = OPTIONAL_KINDS;
const KINDS: readonly unknown[] = NOTIFICATION_KINDS;

/** A kind that people may turn on and off. */
export function ChosenKind(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ enum: OPTIONAL_KINDS }),
    ValidateBy({
      name: 'chosenKind',
      validator: {
        validate: (kind: unknown) => OPTIONAL.includes(kind),
        defaultMessage: (where) =>
          KINDS.includes(where?.value)
            ? `$property "${where?.value}" is read-only: these messages are always sent`
            : `$property must be one of ${OPTIONAL_KINDS.join(', ')}`,
      },
    }),
  );
}

/** A channel that its `kind` has. */
export function ChosenChannel(): PropertyDecorator {
  const channelsOf = (object: object | undefined): readonly string[] => {
    const { kind } = (object ?? {}) as { kind?: unknown };
    return OPTIONAL.includes(kind)
      ? KIND_PEOPLE_CHANNELS.filter((each) => each.kind === kind).map(({ channel }) => channel)
      : PEOPLE_CHANNELS;
  };
  return applyDecorators(
    ApiProperty({ enum: PEOPLE_CHANNELS }),
    ValidateBy({
      name: 'chosenChannel',
      validator: {
        validate: (channel: unknown, where) =>
          typeof channel === 'string' && channelsOf(where?.object).includes(channel),
        defaultMessage: (where) => `$property must be one of ${channelsOf(where?.object).join(', ')}`,
      },
    }),
  );
}

/** A list of choices, each for another kind and channel. */
export function Choices(type: () => new () => object): PropertyDecorator {
  return applyDecorators(
    NestedList(type, KIND_PEOPLE_CHANNELS.length),
    // Runs before the elements are checked: an element may be anything here.
    ArrayUnique((choice: Partial<KindOnChannel> | null) => `${choice?.kind} ${choice?.channel}`, {
      message: '$property must name each kind and channel once',
    }),
  );
}
