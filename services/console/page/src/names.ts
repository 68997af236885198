/**
 * Ids as people read them. In the graph a name's letters beyond the plainest stand as `=XX` (their UTF-8); here they are letters again,
 * in any script, and characters that would turn the text around them are shown for what they are.
 */
const turning = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\u200b\u2060\ufeff]/gu;

export const legible = (id: string): string => {
  if (!id.includes('=')) return id;
  try {
    const decoded = decodeURIComponent(id.replace(/%/g, '%25').replace(/=([0-9A-F]{2})/g, '%$1'));
    return decoded.replace(turning, (each) => `⟨U+${each.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`);
  } catch {
    return id;
  }
};
