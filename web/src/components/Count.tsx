import { UnstyledButton } from "@mantine/core";
import { number } from "@/lib/time";
import { common } from "@/strings/common";
import classes from "./Count.module.css";

interface Props {
  value: number;
  /** There are more than `value`. */
  more?: boolean;
  /** Ask for the exact number. */
  onExact?: () => void;
  loading?: boolean;
}

/** `1 204`, or `10 000+` with a button that counts to the end. */
export function Count({ value, more = false, onExact, loading = false }: Props) {
  return (
    <span className={classes.count}>
      {number(value)}
      {more ? "+" : ""}
      {more && onExact ? (
        <UnstyledButton className={classes.exact} onClick={onExact} disabled={loading}>
          {loading ? "…" : common.exact}
        </UnstyledButton>
      ) : null}
    </span>
  );
}
