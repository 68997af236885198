/** A batch of decisions in the bytes that the log and the record keep: made in one place, so that a repetition is the same to the byte. */
export const batchOpening = (instance: string, number: number): string =>
  `{"v":1,"instance":${JSON.stringify(instance)},"batch":${number},"decisions":[`;
export const batchClosing = ']}';

export const batchBytes = (instance: string, number: number, lines: readonly string[]): Uint8Array =>
  Buffer.from(`${batchOpening(instance, number)}${lines.join(',')}${batchClosing}`);
