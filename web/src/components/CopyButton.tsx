import { ActionIcon, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { announce } from "@/lib/announce";
import { copyText } from "@/lib/clipboard";
import { common } from "@/strings/common";

interface Props {
  value: string | (() => string);
  /** What is copied, for those who do not see where the button stands. */
  label: string;
  size?: number;
}

export function useCopy(): [boolean, (text: string) => void] {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = window.setTimeout(() => setCopied(false), 1600);
    return () => window.clearTimeout(timer);
  }, [copied]);
  return [
    copied,
    (text) => {
      void copyText(text).then((done) => {
        setCopied(done);
        announce(done ? common.copied : common.copyFailed);
      });
    },
  ];
}

export function CopyButton({ value, label, size = 24 }: Props) {
  const [copied, copy] = useCopy();
  return (
    <Tooltip label={copied ? common.copied : `${common.copy}: ${label}`}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size={size}
        aria-label={`${common.copy}: ${label}`}
        onClick={(event) => {
          event.stopPropagation();
          copy(typeof value === "function" ? value() : value);
        }}
      >
        {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
      </ActionIcon>
    </Tooltip>
  );
}
