/** `sha256:70e923ebbe6e…` -> `70e923ebbe6e`: enough to tell two images apart. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, "").slice(0, 12);
}
