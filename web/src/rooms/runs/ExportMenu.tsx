import { Button, Menu } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconDownload } from "@tabler/icons-react";
import { useState } from "react";
import { asApiError } from "@/api/error";
import { announce } from "@/lib/announce";
import { exactText } from "@/lib/exact";
import { number } from "@/lib/time";
import { runs as words } from "@/strings/runs";
import { toCsv } from "./csv";
import { fetchRuns, type Run } from "./queries";

const MOST = 10_000;
const PAGE = 500;

async function all(q: string): Promise<Run[]> {
  const rows: Run[] = [];
  let cursor: string | undefined;
  do {
    const page = await fetchRuns(q, PAGE, cursor);
    rows.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined && rows.length < MOST);
  return rows.slice(0, MOST);
}

function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

/** The runs that match as a file, as far as a browser should hold. */
export function ExportMenu({ q }: { q: string }) {
  const [busy, setBusy] = useState(false);
  async function write(as: "csv" | "json") {
    setBusy(true);
    try {
      const rows = await all(q);
      if (as === "csv") save("runs.csv", "text/csv", toCsv(rows));
      else save("runs.json", "application/json", exactText(rows, 2));
      announce(words.exported(number(rows.length)));
    } catch (error) {
      notifications.show({ color: "red", message: asApiError(error).what });
    } finally {
      setBusy(false);
    }
  }
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" loading={busy} leftSection={<IconDownload size={14} />}>
          {words.export}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{words.exportMost(number(MOST))}</Menu.Label>
        <Menu.Item onClick={() => void write("csv")}>{words.exportCsv}</Menu.Item>
        <Menu.Item onClick={() => void write("json")}>{words.exportJson}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
