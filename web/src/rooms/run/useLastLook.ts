import { useEffect, useRef } from "react";

/** Fetches once more when what was looked at while it went on has ended: its end was not seen. */
export function useLastLook(goesOn: boolean, fetch: () => unknown): void {
  const went = useRef(goesOn);
  useEffect(() => {
    if (went.current && !goesOn) void fetch();
    went.current = goesOn;
  }, [goesOn, fetch]);
}
