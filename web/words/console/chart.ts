export const en = {
  table: 'As a table',
  time: 'Time',
};

/** The words of every chart. */
export type ChartWords = typeof en;

export const fr: ChartWords = {
  table: 'En tableau',
  time: 'Moment',
};
