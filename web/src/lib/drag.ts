import { useRef, useState } from "react";

/**
 * What a drag covers so far: `drag` as it is drawn, `dragged` as it is by now. The hand is quicker
 * than what is drawn, so whoever lets go looks at the second.
 */
export function useDrag<T>() {
  const dragged = useRef<T | null>(null);
  const [drag, setDrag] = useState<T | null>(null);
  const pull = (over: T | null) => {
    dragged.current = over;
    setDrag(over);
  };
  /** It is over; what it has covered. */
  const letGo = () => {
    const over = dragged.current;
    if (over !== null) pull(null);
    return over;
  };
  return { drag, dragged, pull, letGo };
}
