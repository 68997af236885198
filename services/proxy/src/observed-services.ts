/** The services of a configuration that are only observed, with their last moment. */
import type { ServiceConfig } from '@postern/schemas';
import type { ObservedServices } from './gate/observing.ts';

export const observedServices = (services: Readonly<Record<string, ServiceConfig>>): ObservedServices =>
  Object.fromEntries(
    Object.entries(services).flatMap(([name, { mode, observeUntil }]) =>
      mode === 'observe' && observeUntil !== undefined ? [[name, observeUntil]] : [],
    ),
  );
