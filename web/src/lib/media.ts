import { useSyncExternalStore } from "react";

function media(query: string): () => boolean {
  const list = typeof window.matchMedia === "function" ? window.matchMedia(query) : null;
  const subscribe = (listener: () => void) => {
    list?.addEventListener("change", listener);
    return () => list?.removeEventListener("change", listener);
  };
  return () => useSyncExternalStore(subscribe, () => list?.matches ?? false);
}

/** Below 768 pixels: the rail is a bottom bar, tables are cards. */
export const usePhone = media("(max-width: 47.99em)");
