/**
 * What somebody is typing, kept in this tab: it outlives a session that ends, the way to the issuer and back, and a reload. It is kept
 * under the name of whoever typed it, so that nobody else gets to see it, and is gone when they sign out.
 */
import { createContext, useCallback, useContext, useState } from 'react';

export const Typist = createContext('');
const prefix = 'postern.draft';

export const useDraft = <Content>(
  name: string,
  empty: Content,
): readonly [Content, (next: Content) => void, () => void] => {
  const typist = useContext(Typist);
  const place = `${prefix} ${typist} ${name}`;
  const [content, setContent] = useState<Content>(() => read(place) ?? empty);
  const set = useCallback(
    (next: Content) => {
      setContent(next);
      try {
        sessionStorage.setItem(place, JSON.stringify(next));
      } catch {
        // No room: then it lives as long as the page.
      }
    },
    [place],
  );
  const clear = useCallback(() => {
    sessionStorage.removeItem(place);
    setContent(empty);
  }, [place, empty]);
  return [content, set, clear];
};

const read = <Content>(place: string): Content | undefined => {
  try {
    const text = sessionStorage.getItem(place);
    return text === null ? undefined : (JSON.parse(text) as Content);
  } catch {
    return undefined;
  }
};

export const forgetDrafts = (): void => {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith(prefix)) sessionStorage.removeItem(key);
};
