import { Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { cloneElement, type ReactElement } from "react";
import { covers, meQuery, type Role } from "@/api/session";
import { common } from "@/strings/common";

interface Props {
  needs: Role;
  /** Another reason why it cannot be done now. */
  blocked?: string | null;
  /** A button or menu item that takes `data-disabled` and `aria-disabled`. */
  children: ReactElement<Record<string, unknown>>;
}

/** Shows a button that the role may not use as disabled, and says why and who may. */
export function RoleGate({ needs, blocked, children }: Props) {
  const { data: me } = useQuery(meQuery);
  const reason =
    me?.read_only === true
      ? common.readOnly
      : me != null && !covers(me.role, needs)
        ? me.mode === "engine"
          ? common.readOnlyPages
          : common.needsRole(needs)
        : (blocked ?? null);
  if (reason === null) return children;
  // Not `disabled`: that would take it out of the tab order, and the reason with it.
  const button = cloneElement(children, {
    "aria-disabled": true,
    "data-disabled": true,
    "aria-description": reason,
    onClick: (event: Event) => event.preventDefault(),
  });
  return (
    <Tooltip label={reason} multiline maw={280}>
      {button}
    </Tooltip>
  );
}
