/** The process's own log: one JSON line an event on stderr; stdout belongs to what was asked for. */
import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** Secrets never reach a log: the headers that carry them are cut out wherever an object with them is logged. */
export const openLogger = (level: string, name: string): Logger =>
  pino(
    {
      name,
      level,
      redact: {
        paths: [
          '*.headers.authorization',
          '*.headers["x-api-key"]',
          '*.headers.cookie',
          'headers.authorization',
          'headers["x-api-key"]',
        ],
        censor: '(removed)',
      },
    },
    pino.destination({ fd: 2, sync: true }),
  );

export const silentLogger: Logger = pino({ level: 'silent' });
