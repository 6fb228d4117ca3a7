import { ApiPropertyOptional, IntersectionType, PartialType } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { DueItemFilter, DueItemPageQuery, NewDueItem } from '../due-items/due-item.dto.js';
import { DOCUMENT_STATUSES } from './document-request.entity.js';

export class NewDocument extends NewDueItem {}

/** An absent field stays unchanged; null clears an optional one. */
export class DocumentPatch extends PartialType(NewDocument, { skipNullProperties: false }) {}

export class DocumentFilter extends DueItemFilter {
  @ApiPropertyOptional({ enum: DOCUMENT_STATUSES })
  @IsOptional()
  @IsIn(DOCUMENT_STATUSES)
  status?: string;
}

export class DocumentQuery extends IntersectionType(DocumentFilter, DueItemPageQuery) {}
