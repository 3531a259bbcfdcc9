/** What failed, one row for each cause, and what can be done about all of it at once. */

import { ActionIcon, Button, Menu } from "@mantine/core";
import { IconArrowUpRight, IconDots, IconRefresh } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api, ok } from "@/api/client";
import { ErrorFace, SkeletonRows } from "@/components/FourFaces";
import { Instant } from "@/components/Instant";
import { RoleGate } from "@/components/RoleGate";
import { StateGlyph } from "@/components/StateGlyph";
import { number } from "@/lib/time";
import { home as words } from "@/strings/home";
import classes from "./Causes.module.css";
import { MuteDialog } from "./MuteDialog";
import { type Cause, causesQuery } from "./queries";
import { RerunDialog } from "./RerunDialog";
import { RerunProgress } from "./RerunProgress";

export function Causes({ failing }: { failing: number }) {
  const search = useSearch({ from: "/shell/" });
  const navigate = useNavigate({ from: "/" });
  const set = (change: Partial<typeof search>) =>
    void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const { data, error, refetch } = useQuery(causesQuery(search.muted === true));
  const [rerunning, setRerunning] = useState<Cause | null>(null);
  const [muting, setMuting] = useState<Cause | null>(null);
  if (error && data === undefined) {
    return <ErrorFace error={error} onRetry={() => void refetch()} />;
  }
  const items = data?.items ?? [];
  const quiet = items.length === 0 && !search.bulk && (data?.muted ?? 0) === 0 && failing === 0;
  return (
    <>
      {quiet ? null : (
        <section className={classes.section} aria-labelledby="causes">
          <div className="sw-row sw-wrap">
            <h2 id="causes" className={classes.title}>
              {words.causes.title}
            </h2>
            {data ? (
              <span className="sw-soft">{words.causes.of(data.runs, data.causes)}</span>
            ) : null}
            <span className="sw-grow" />
            {(data?.muted ?? 0) > 0 ? (
              <Button
                variant="subtle"
                color="gray"
                onClick={() => set({ muted: search.muted ? undefined : true })}
              >
                {search.muted ? words.causes.hideMuted : words.causes.muted(data?.muted ?? 0)}
              </Button>
            ) : null}
          </div>
          {search.bulk ? (
            <RerunProgress
              id={search.bulk}
              left={items.find((one) => one.fingerprint === search.cause)?.runs ?? 0}
              onHide={() => set({ bulk: undefined, cause: undefined })}
            />
          ) : null}
          {data === undefined ? <SkeletonRows rows={2} /> : null}
          {items.length > 0 ? (
            <ul className={classes.list} aria-label={words.causes.label}>
              {items.map((one) => (
                <Row
                  key={one.fingerprint}
                  cause={one}
                  onRerun={() => setRerunning(one)}
                  onMute={() => setMuting(one)}
                />
              ))}
            </ul>
          ) : null}
        </section>
      )}
      {rerunning === null ? null : (
        <RerunDialog
          cause={rerunning}
          onClose={() => setRerunning(null)}
          onBegun={(bulk) => set({ bulk, cause: rerunning.fingerprint })}
        />
      )}
      {muting === null ? null : <MuteDialog cause={muting} onClose={() => setMuting(null)} />}
    </>
  );
}

const SHOWN = 3;

function Row(props: { cause: Cause; onRerun: () => void; onMute: () => void }) {
  const { cause } = props;
  const client = useQueryClient();
  const more = cause.workflows.length - SHOWN;
  async function unmute() {
    await ok(
      api.DELETE("/api/v1/causes/{fingerprint}/mutes", {
        params: { path: { fingerprint: cause.fingerprint }, query: {} },
      }),
    );
    void client.invalidateQueries({ queryKey: ["causes"] });
    void client.invalidateQueries({ queryKey: ["summary"] });
  }
  return (
    <li className={classes.row} data-muted={cause.muted ? true : undefined}>
      <span className={classes.glyph}>
        <StateGlyph state="failed" size={18} />
      </span>
      <div className={classes.what}>
        <div className={classes.sentence}>{cause.sentence}</div>
        <div className={classes.facts}>
          {cause.operation ? <span>{words.causes.in(cause.operation)}</span> : null}
          <span>
            {cause.workflows
              .slice(0, SHOWN)
              .map((one) => `${one.group}/${one.workflow}`)
              .join(", ")}
            {more > 0 ? ` ${words.causes.more(more)}` : ""}
          </span>
          <span>
            {words.causes.first} <Instant at={cause.first_seen} as="ago" />
          </span>
          <span>
            {words.causes.last} <Instant at={cause.last_seen} as="ago" />
          </span>
        </div>
        {cause.started_after === null ? null : (
          <span className={classes.since}>{words.causes.started(cause.started_after)}</span>
        )}
        {cause.muted ? (
          <div className="sw-soft">
            {words.causes.mutedUntil(cause.muted.muted_by, cause.muted.reason)}{" "}
            <Instant at={cause.muted.until} />
          </div>
        ) : null}
      </div>
      <Link
        to="/runs"
        search={{ q: cause.query }}
        className={classes.count}
        title={words.causes.showRuns}
      >
        <strong>{number(cause.runs)}</strong>
        <span className="sw-soft">{cause.runs === 1 ? "run" : "runs"}</span>
      </Link>
      <Trend counts={cause.trend} />
      <div className={classes.acts}>
        <Button
          variant="default"
          leftSection={<IconArrowUpRight size={14} />}
          renderRoot={(root) => (
            <Link to="/runs/$runId" params={{ runId: cause.newest_run }} {...root} />
          )}
        >
          {words.causes.open}
        </Button>
        <RoleGate needs="operator">
          <Button leftSection={<IconRefresh size={14} />} onClick={props.onRerun}>
            {words.causes.rerun}
          </Button>
        </RoleGate>
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon
              variant="subtle"
              color="gray"
              size={30}
              aria-label={`More: ${cause.sentence}`}
            >
              <IconDots size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              renderRoot={(root) => <Link to="/runs" search={{ q: cause.query }} {...root} />}
            >
              {words.causes.showRuns}
            </Menu.Item>
            <RoleGate needs="operator">
              <Menu.Item onClick={cause.muted ? () => void unmute() : props.onMute}>
                {cause.muted ? words.causes.unmute : words.causes.mute}
              </Menu.Item>
            </RoleGate>
          </Menu.Dropdown>
        </Menu>
      </div>
    </li>
  );
}

const HEIGHT = 26;
const STEP = 5;

/** When it failed within the week, in 24 bars. */
function Trend({ counts }: { counts: readonly number[] }) {
  const most = Math.max(1, ...counts);
  return (
    <svg
      className={classes.trend}
      width={counts.length * STEP}
      height={HEIGHT}
      role="img"
      aria-label={words.causes.trend(counts)}
    >
      {counts.map((count, at) => {
        const height = count === 0 ? 1 : Math.max(3, (count / most) * HEIGHT);
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: each span has its place
            key={at}
            x={at * STEP}
            y={HEIGHT - height}
            width={STEP - 1.5}
            height={height}
            rx={1}
            data-none={count === 0 || undefined}
          />
        );
      })}
    </svg>
  );
}
