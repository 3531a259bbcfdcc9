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
              <InnerLink
                className={classes.link}
                href={item.task === "schedule" ? "/schedules?add=30 7 * * MON-FRI" : item.href}
              >
                {words.first.go[item.task]}
              </InnerLink>
              <div className={classes.command}>
                <CodeBlock label={words.first.tasks[item.task]} wrap>
                  {item.command}
                </CodeBlock>
              </div>
            </div>
          </>
        ) : null}
      </div>
    </li>
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
