import { Param, type PipeTransform } from '@nestjs/common';
import { QUEUES, type QueueName } from '../../contracts/jobs.js';
import { notFound } from '../../platform/errors/problem.js';

class QueuePipe implements PipeTransform<string, QueueName> {
  transform(name: string): QueueName {
    const queue = QUEUES.find((each) => each === name);
    if (queue === undefined) throw notFound();
    return queue;
  }
}

/** A queue's name in the path; an unknown one is a 404. */
export function QueueParam(): ParameterDecorator {
  return Param('queue', new QueuePipe());
}
