import { Button } from "@mantine/core";
import { IconRadar2 } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, ok } from "@/api/client";
import { asApiError } from "@/api/error";
import { CodeBlock } from "@/components/CodeBlock";
import { Instant } from "@/components/Instant";
import { RoleGate } from "@/components/RoleGate";
import { review as words } from "@/strings/review";
import { DiscoverAgain } from "./DiscoverAgain";
import { latestQuery, sourcesQuery } from "./queries";

const said = words.nothingWaits;

/** Whether anybody has anything to look into, and what the face says of it. */
export function useNothing() {
  const sources = useQuery(sourcesQuery);
  const latest = useQuery(latestQuery);
  const unknown = sources.data === undefined || latest.data === undefined;
  const unused = !unknown && sources.data.items.length === 0 && latest.data.items.length === 0;
  return unused ? UNUSED : { title: said.title, text: <Looked />, action: <Acts /> };
}

const UNUSED = {
  title: words.never.title,
  text: words.never.text,
  action: (
    <>
      <Button renderRoot={(root) => <Link to="/settings" search={{ page: "sources" }} {...root} />}>
        {words.never.add}
      </Button>
      <CodeBlock label="command">{words.never.command}</CodeBlock>
    </>
  ),
};

/** When it was looked last, so that nobody takes silence for news. */
function Looked() {
  const sources = useQuery(sourcesQuery).data?.items ?? [];
  const latest = useQuery(latestQuery).data?.items.at(0);
  const scanned = sources.flatMap((one) => one.scanned_at ?? []).sort();
  const waiting = sources.reduce((sum, one) => sum + one.waiting, 0);
  return (
    <>
      <p>{said.text}</p>
      {sources.length === 0 ? null : (
        <p>
          {said.scanned}{" "}
          {scanned.length === 0 ? said.never : <Instant at={scanned.at(-1) ?? null} as="ago" />}:{" "}
          {waiting === 0 ? (
            said.nothingNew
          ) : (
            <Link to="/settings" search={{ page: "sources" }}>
              {said.images(waiting)}
            </Link>
          )}
          .
        </p>
      )}
      {latest === undefined ? null : (
        <p>
          {said.discovered} <Instant at={latest.finished_at ?? latest.created_at} as="ago" />:{" "}
          {latest.group_name} ({latest.trigger}, {latest.state}).
        </p>
      )}
    </>
  );
}

/** Scan the sources, or where there are none, look again into the image that was looked into. */
function Acts() {
  const sources = useQuery(sourcesQuery).data?.items ?? [];
  const latest = useQuery(latestQuery).data?.items.at(0);
  if (sources.length > 0) return <Scan names={sources.map((one) => one.name)} />;
  return latest === undefined ? null : <DiscoverAgain group={latest.group_name} named />;
}

function Scan({ names }: { names: readonly string[] }) {
  const cache = useQueryClient();
  const going = useQuery(sourcesQuery).data?.items.some((one) => one.scanning) ?? false;
  const scan = useMutation({
    mutationFn: () =>
      Promise.all(
        names.map((name) =>
          ok(api.POST("/api/v1/sources/{name}/scans", { params: { path: { name } } as never })),
        ),
      ),
    onSettled: () => cache.invalidateQueries({ queryKey: sourcesQuery.queryKey }),
  });
  return (
    <>
      <RoleGate needs="operator">
        <Button
          variant="default"
          leftSection={<IconRadar2 size={15} />}
          loading={scan.isPending || going}
          onClick={() => scan.mutate()}
        >
          {said.scan}
        </Button>
      </RoleGate>
      {scan.error ? <span role="alert">{asApiError(scan.error).what}</span> : null}
    </>
  );
}
