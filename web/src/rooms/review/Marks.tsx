import { Badge, Tooltip } from "@mantine/core";
import { shortDigest } from "@/lib/digest";
import { review as words } from "@/strings/review";
import classes from "./Review.module.css";

/** The mark of what became of a workflow or operation: a sign, a colour and a word. */
export function Standing({ of, brief = false }: { of: string; brief?: boolean }) {
  return (
    <span className={classes.standing} data-standing={of}>
      <span className={classes.sign} aria-hidden="true">
        {words.marks[of] ?? "~"}
      </span>
      <span className={brief ? "sw-hidden" : undefined}>{words.standing[of] ?? of}</span>
    </span>
  );
}

/** `2 new · 3 changed`. */
export function Counts({ counts }: { counts: Record<string, number> }) {
  const order = ["added", "changed", "renamed", "removed", "code", "same"];
  return (
    <span className={classes.counts}>
      {order
        .filter((one) => (counts[one] ?? 0) > 0)
        .map((one) => (
          <span key={one} className={classes.chip} data-standing={one}>
            {words.counts[one]?.(counts[one] ?? 0)}
          </span>
        ))}
    </span>
  );
}

export function Impact({ of }: { of: string }) {
  return (
    <Tooltip label={words.impactMeaning[of] ?? of}>
      <Badge size="sm" variant="light" className={classes.impact} data-impact={of} tabIndex={0}>
        {words.impact[of] ?? of}
      </Badge>
    </Tooltip>
  );
}

export function Breaks() {
  return (
    <Tooltip label={words.breakingMeaning}>
      <Badge size="sm" variant="filled" color="red" tabIndex={0}>
        {words.breaking}
      </Badge>
    </Tooltip>
  );
}

/** A risk's code as words: `more-often` -> `more often`. */
export function risk(code: string): string {
  return code.replaceAll("-", " ");
}

export function short(digest: string | null): string {
  return digest === null ? words.nothing : shortDigest(digest);
}
