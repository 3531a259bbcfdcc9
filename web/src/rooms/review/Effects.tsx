import { Button, Textarea } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, ok, type Schemas } from "@/api/client";
import { asApiError } from "@/api/error";
import { Instant } from "@/components/Instant";
import { RoleGate } from "@/components/RoleGate";
import { review as words } from "@/strings/review";
import { placeOf } from "./links";
import { commentsQuery, type Review } from "./queries";
import classes from "./Review.module.css";

/** What accepting would do to schedules, runs and steps that live, in sentences. */
export function Effects({ review, at }: { review: Review; at: string }) {
  const mine = review.effects.filter((one) => one.workflow === at);
  const others = review.effects.filter((one) => one.workflow !== at);
  return (
    <section className={classes.block}>
      <h3>{words.effects}</h3>
      {mine.length === 0 ? <p className="sw-soft">{words.noEffects}</p> : <List of={mine} />}
      {others.length === 0 ? null : (
        <details>
          <summary>{words.others(others.length)}</summary>
          <List of={others} />
        </details>
      )}
      {review.unavailable.map((one) => (
        <p key={one} className={classes.unavailable}>
          {one}
        </p>
      ))}
      {review.notice ? <p className={classes.unavailable}>{review.notice}</p> : null}
    </section>
  );
}

function List({ of }: { of: Schemas["Effect"][] }) {
  return (
    <ul className={classes.effects}>
      {of.map((one) => (
        <li key={`${one.code} ${one.sentence}`}>
          {one.sentence} <Where of={one} />
          {one.sample.length > 0 ? (
            <ul className={classes.sample}>
              {one.sample.map((each) => (
                <li key={`${each.where} ${each.path}`}>
                  <code>{each.path || each.where}</code> {each.reason}
                </li>
              ))}
            </ul>
          ) : null}
        </li>
      ))}
    </ul>
  );
}

function Where({ of }: { of: Schemas["Effect"] }) {
  const place = placeOf(of);
  if (place === null) return null;
  const { to, params, search, mend } = place;
  return (
    <Link to={to} params={params} search={search as never}>
      {mend ? words.fixNow : words.open}
    </Link>
  );
}

/** Reasons to look twice: of this workflow and of the whole group first. */
export function Risks({ risks, at }: { risks: Review["risks"]; at: string }) {
  const mine = risks.filter((one) => one.workflow === null || one.workflow === at);
  if (mine.length === 0) return null;
  return (
    <section className={classes.block} data-tone="risk">
      <h3>
        <IconAlertTriangle size={15} aria-hidden="true" /> {words.risks}
      </h3>
      <ul className={classes.effects}>
        {mine.map((one) => (
          <li key={`${one.code} ${one.sentence}`}>{one.sentence}</li>
        ))}
      </ul>
    </section>
  );
}

/** What was said about the discovery. */
export function Comments({ group, id }: { group: string; id: string }) {
  const found = useQuery(commentsQuery(group, id));
  const [text, setText] = useState("");
  const cache = useQueryClient();
  const add = useMutation({
    mutationFn: () =>
      ok(
        api.POST("/api/v1/groups/{name}/discoveries/{discovery_id}/comments", {
          params: { path: { name: group, discovery_id: id } } as never,
          body: { text: text.trim() },
        }),
      ),
    onSuccess: () => {
      setText("");
      void cache.invalidateQueries({ queryKey: commentsQuery(group, id).queryKey });
    },
  });
  return (
    <section className={classes.block}>
      <h3>{words.comments}</h3>
      <ul className={classes.comments}>
        {(found.data?.items ?? []).map((one) => (
          <li key={one.id}>
            <div className="sw-soft">
              {one.written_by} · <Instant at={one.written_at} as="ago" />
            </div>
            {one.text}
          </li>
        ))}
      </ul>
      <form
        className={classes.say}
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== "") add.mutate();
        }}
      >
        <Textarea
          aria-label={words.comment}
          placeholder={words.comment}
          autosize
          minRows={1}
          maxRows={6}
          value={text}
          maxLength={4000}
          onChange={(event) => setText(event.currentTarget.value)}
          error={add.error ? asApiError(add.error).what : undefined}
        />
        {text.trim() === "" ? null : (
          <RoleGate needs="operator">
            <Button type="submit" variant="default" loading={add.isPending}>
              {words.say}
            </Button>
          </RoleGate>
        )}
      </form>
    </section>
  );
}
