import { ActionIcon } from "@mantine/core";
import { IconChartBar, IconTable } from "@tabler/icons-react";
import { common } from "@/strings/common";

/** Between a chart and the table that says the same. */
export function TwinSwitch({ table, onSwitch }: { table: boolean; onSwitch: () => void }) {
  const label = table ? common.showPicture : common.showTable;
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size={28}
      aria-label={label}
      title={label}
      aria-keyshortcuts="t"
      onClick={onSwitch}
    >
      {table ? <IconChartBar size={16} /> : <IconTable size={16} />}
    </ActionIcon>
  );
}
