import { Alert, Button } from "@mantine/core";
import { IconCloudOff } from "@tabler/icons-react";
import { useEffect } from "react";
import { useBehind } from "@/api/behind";
import { live } from "@/api/live";
import { Coded } from "@/components/Coded";
import { announce } from "@/lib/announce";
import { common } from "@/strings/common";
import { shell } from "@/strings/shell";

/** Above a page that shows what was there before, for it could not be fetched again. */
export function BehindNote() {
  const problem = useBehind();
  const there = problem !== undefined;
  useEffect(() => {
    if (there) announce(shell.behind);
  }, [there]);
  if (problem === undefined) return null;
  return (
    <Alert
      color="sand"
      styles={{ title: { color: "var(--sw-text)" } }}
      role="note"
      mb="md"
      icon={<IconCloudOff size={18} aria-hidden="true" />}
      title={shell.behind}
    >
      <div className="sw-row sw-wrap sw-between">
        <span>
          {problem.what} {problem.why} <Coded>{problem.fix}</Coded>
        </span>
        <Button variant="default" onClick={() => live.refresh()}>
          {common.retry}
        </Button>
      </div>
    </Alert>
  );
}
