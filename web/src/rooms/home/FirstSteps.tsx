/** What is to be done on a new server; each line ticks itself. */

import { ActionIcon, Button, Progress } from "@mantine/core";
import { IconCircleCheckFilled, IconCircleDashed, IconX } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api, ok } from "@/api/client";
import { asApiError } from "@/api/error";
import { CodeBlock } from "@/components/CodeBlock";
import { InnerLink } from "@/components/InnerLink";
import { RoleGate } from "@/components/RoleGate";
import { home as words } from "@/strings/home";
import classes from "./FirstSteps.module.css";
import { type FirstRun, firstRunQuery } from "./queries";

const CLOSED = "stepwell.first-steps";

function closedBefore(): boolean {
  try {
    return localStorage.getItem(CLOSED) === "closed";
  } catch {
    return false;
  }
}

export function FirstSteps() {
  const { first } = useSearch({ from: "/shell/" });
  const navigate = useNavigate({ from: "/" });
  const [closed, setClosed] = useState(closedBefore);
  const wanted = first === true || !closed;
  const { data } = useQuery({ ...firstRunQuery, enabled: wanted });
  if (!wanted || data === undefined || (data.done && first !== true)) return null;
  function close() {
    try {
      localStorage.setItem(CLOSED, "closed");
    } catch {
      // Then it is closed for this page alone.
    }
    setClosed(true);
    void navigate({ search: (old) => ({ ...old, first: undefined }), replace: true });
  }
  const done = data.items.filter((one) => one.done).length;
  const next = data.items.find((one) => !one.done)?.task;
  return (
    <section className={classes.steps} aria-labelledby="first-steps">
      <div className="sw-row">
        <h2 id="first-steps" className={classes.title}>
          {words.first.title}
        </h2>
        <span className="sw-soft">{words.first.progress(done, data.items.length)}</span>
        <Progress
          className={classes.progress}
          size="sm"
          value={(100 * done) / data.items.length}
          aria-label={words.first.progress(done, data.items.length)}
        />
        <ActionIcon variant="subtle" color="gray" aria-label={words.first.close} onClick={close}>
          <IconX size={16} />
        </ActionIcon>
      </div>
      <ul className={classes.done} aria-label={words.first.done}>
        {data.items
          .filter((one) => one.done)
          .map((one) => (
            <li key={one.task} title={one.seen}>
              <IconCircleCheckFilled size={16} aria-hidden="true" />
              {words.first.tasks[one.task]}
            </li>
          ))}
        {data.demo === "absent" ? null : (
          <li>
            <DemoButton found={data} />
          </li>
        )}
      </ul>
      {data.items
        .filter((one) => one.done && one.task === "engine")
        .map((one) => (
          <Place key={one.task} item={one} />
        ))}
      <ol className={classes.list} aria-label={words.first.open}>
        {data.items
          .filter((one) => !one.done)
          .map((one) => (
            <Step key={one.task} item={one} open={one.task === next} found={data} />
          ))}
      </ol>
    </section>
  );
}

type Item = FirstRun["items"][number];

function Step({ item, open, found }: { item: Item; open: boolean; found: FirstRun }) {
  const hint = words.first.hints[item.task];
  return (
    <li className={classes.step} data-open={open || undefined}>
      <IconCircleDashed size={19} aria-hidden="true" />
      <div className={classes.body}>
        <div className="sw-row sw-wrap">
          <strong>{words.first.tasks[item.task]}</strong>
          <span className="sw-soft">{item.seen}</span>
        </div>
        {item.fix ? (
          <p className={classes.fix}>
            {words.first.fix} {item.fix}
          </p>
        ) : null}
        {open ? (
          <>
            {hint ? <p className="sw-soft">{hint}</p> : null}
            <div className={classes.acts}>
              {item.task === "find" && found.demo === "absent" ? (
                <DemoButton found={found} />
              ) : null}
              {item.task === "run" ? <StartButton item={item} /> : null}
              {linksOf(item).map(([name, href]) => (
                <InnerLink key={href} className={classes.link} href={href}>
                  {name}
                </InnerLink>
              ))}
            </div>
            <div className={classes.command}>
              <CodeBlock label={words.first.tasks[item.task]} wrap>
                {[item.command, ...(words.first.commands[item.task] ?? [])].join("\n")}
              </CodeBlock>
            </div>
          </>
        ) : null}
      </div>
    </li>
  );
}

/** The screens where it is done. */
function linksOf({ task, href }: Item): [string, string][] {
  if (task === "find") return [...words.first.ways.find, [words.first.go.find, href]];
  if (task === "own") return [...words.first.ways.own];
  return [[words.first.go[task], href]];
}

/** Starts what the server has named, and shows it at work. */
function StartButton({ item }: { item: Item }) {
  const navigate = useNavigate();
  const { group, workflow } = item.facts ?? {};
  const start = useMutation({
    mutationFn: (path: { group: string; workflow: string }) =>
      ok(
        api.POST("/api/v1/workflows/{group}/{workflow}/runs", {
          params: { path },
          body: { parameters: {}, labels: {}, priority: "normal" },
        }),
      ),
    onSuccess: (run) =>
      void navigate({
        to: "/runs/$runId",
        params: { runId: "id" in run ? String(run.id) : "" },
        search: {},
      }),
  });
  if (typeof group !== "string" || typeof workflow !== "string") return null;
  return (
    <>
      <RoleGate needs="operator">
        <Button
          size="xs"
          loading={start.isPending}
          onClick={() => start.mutate({ group, workflow })}
        >
          {words.first.start(workflow)}
        </Button>
      </RoleGate>
      {start.error ? <span role="alert">{asApiError(start.error).what}</span> : null}
    </>
  );
}

/** What runs here, and where it keeps what it has. */
function Place({ item }: { item: Item }) {
  const { version, database, data_dir } = item.facts ?? {};
  return (
    <p className={classes.place}>
      {words.first.place(String(version), String(database), String(data_dir))}
    </p>
  );
}

/** The demo comes and goes with one click. */
function DemoButton({ found }: { found: FirstRun }) {
  const client = useQueryClient();
  const absent = found.demo === "absent";
  const change = useMutation({
    mutationFn: () =>
      ok(absent ? api.POST("/api/v1/first-run/demo") : api.DELETE("/api/v1/first-run/demo")),
    onSuccess: (now) => {
      client.setQueryData(firstRunQuery.queryKey, now);
      void client.invalidateQueries();
    },
  });
  if (found.demo === "removing") return <span className="sw-soft">{words.first.removing}</span>;
  return (
    <>
      <RoleGate needs="admin">
        <Button
          variant={absent ? "filled" : "default"}
          size={absent ? "xs" : "compact-xs"}
          loading={change.isPending}
          onClick={() => change.mutate()}
        >
          {absent ? words.first.load : words.first.remove}
        </Button>
      </RoleGate>
      {change.error ? <span role="alert">{asApiError(change.error).what}</span> : null}
    </>
  );
}
