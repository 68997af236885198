/** VERIFY.md of a bundle. */
export const verifyText: string = `# How to verify this bundle

- In a browser: open \`index.html\`. It needs no network, verifies everything that stands here and says which row is wrong, if one is.
- With Postern: \`postern audit verify --bundle FILE.zip --vkey KEPT-KEYS\`.
- With other tools: \`entries/LOG/N.json\` is the verbatim entry N of a C2SP tlog (RFC 6962 hashing); \`proofs/LOG/N.tlog-proof\`
  (c2sp.org/tlog-proof@v1) proves it under \`checkpoint/LOG\`, a signed note (Ed25519) of a key in \`vkeys.txt\`.

What is proven: that each entry stands in the signed log, to the byte. Rows of facts and decisions follow from their entries and are held
against them. Rows of a question are worked out from the entries; \`SHA256SUMS\` and \`query.json\` notice where they were damaged, and
whoever doubts the working asks again. Entry N of the facts is fact N + 1.

Texts that people wrote stand in entries as commitments, \`sealed:\` and base64url(SHA-256(salt || text)). \`texts.ndjson\` brings text and salt of
those that were kept when the bundle was made; a commitment without a line there was erased, and stays proven.

The keys came with the bundle. Compare them with those that you kept from a time you trusted: somebody who makes up a log can make up its keys.
`;
