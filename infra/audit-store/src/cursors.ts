/** partition of the event log → the offset of the next record to take in. */
export type Cursors = Readonly<Record<string, number>>;
