import { UnstyledButton } from "@mantine/core";
import { IconArrowUp } from "@tabler/icons-react";
import { useEffect } from "react";
import { announce } from "@/lib/announce";
import { common } from "@/strings/common";
import classes from "./NewPill.module.css";

interface Props {
  count: number;
  /** "runs" */
  noun: string;
  onShow: () => void;
}

/** What has come since the list was fetched; the list itself does not jump. */
export function NewPill({ count, noun, onShow }: Props) {
  const text = common.newer(count, noun);
  useEffect(() => {
    if (count > 0) announce(text);
  }, [count, text]);
  if (count === 0) return null;
  return (
    <div className={classes.place}>
      <UnstyledButton className={classes.pill} onClick={onShow}>
        <IconArrowUp size={14} aria-hidden="true" />
        {text}
      </UnstyledButton>
    </div>
  );
}
