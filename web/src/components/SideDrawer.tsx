import { ActionIcon } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { type ReactNode, useEffect, useId, useRef } from "react";
import { useFocusBack } from "@/lib/focus";
import { useKeys } from "@/lib/keys";
import { common } from "@/strings/common";
import classes from "./SideDrawer.module.css";

interface Props {
  opened: boolean;
  /** Takes the search param away that opens it. */
  onClose: () => void;
  title: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/**
 * A panel beside the page, which stays usable: j and k go on through the rows behind it. Its
 * state is a search param, so it is part of the link. Focus goes in when it opens, and back to
 * where it was when it closes.
 */
export function SideDrawer(props: Props) {
  if (!props.opened) return null;
  return <Panel {...props} />;
}

function Panel({ onClose, title, actions, children }: Props) {
  const panel = useRef<HTMLElement>(null);
  const id = useId();
  useFocusBack();
  useEffect(() => panel.current?.focus({ preventScroll: true }), []);
  useKeys({ Escape: onClose });
  return (
    <aside className={classes.panel} ref={panel} tabIndex={-1} aria-labelledby={id} data-drawer>
      <header className={classes.header}>
        <h2 id={id} className={classes.title}>
          {title}
        </h2>
        {actions}
        <ActionIcon variant="subtle" color="gray" aria-label={common.close} onClick={onClose}>
          <IconX size={17} />
        </ActionIcon>
      </header>
      <div className={classes.body}>{children}</div>
    </aside>
  );
}
