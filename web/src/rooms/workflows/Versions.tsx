import { Badge, Button, Checkbox } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { Schemas } from "@/api/client";
import { ErrorFace, SkeletonRows } from "@/components/FourFaces";
import { Instant } from "@/components/Instant";
import { shortDigest } from "@/lib/digest";
import { workflows as words } from "@/strings/workflows";
import { differenceQuery, type WorkflowDetail } from "./queries";
import classes from "./Workflows.module.css";

const FROM = "/shell/workflows/$group/$workflow";

/** The releases that changed it: who, when, why; two of them compared; an earlier one offered. */
export function Versions({ detail }: { detail: WorkflowDetail }) {
  const { one, other } = useSearch({ from: FROM });
  const navigate = useNavigate({ from: "/workflows/$group/$workflow" });
  const picked = [one, other].filter((number): number is number => number !== undefined);

  function toggle(number: number) {
    const next = picked.includes(number)
      ? picked.filter((each) => each !== number)
      : [...picked, number].slice(-2);
    void navigate({
      search: (old) => ({ ...old, one: next[0], other: next[1] }),
      replace: true,
    });
  }

  const [low, high] = [Math.min(...picked), Math.max(...picked)];
  return (
    <>
      <div className="sw-panel">
        <div className={classes.pick}>
          <span className="sw-soft">{words.versions.pick}</span>
        </div>
        <table className={classes.parameters}>
          <thead>
            <tr>
              <th scope="col">
                <span className="sw-hidden">{words.versions.compare}</span>
              </th>
              <th scope="col">{words.versions.release}</th>
              <th scope="col">{words.versions.when}</th>
              <th scope="col">{words.versions.by}</th>
              <th scope="col">{words.versions.reason}</th>
              <th scope="col">{words.versions.digest}</th>
              <th scope="col">
                <span className="sw-hidden">{words.versions.rollBack}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {detail.versions.map((each) => (
              <tr key={each.release}>
                <td>
                  <Checkbox
                    size="xs"
                    aria-label={`${words.versions.compare} ${words.releaseOf(each.release)}`}
                    checked={picked.includes(each.release)}
                    onChange={() => toggle(each.release)}
                  />
                </td>
                <td>
                  {each.release}{" "}
                  {each.release === detail.since ? (
                    <Badge size="sm">{words.versions.current}</Badge>
                  ) : null}
                </td>
                <td>
                  <Instant at={each.created_at} />
                </td>
                <td>{[each.created_by, each.confirmed_by].filter(Boolean).join(", ")}</td>
                <td>{each.reason}</td>
                <td>
                  <code>{shortDigest(each.digest)}</code>
                </td>
                <td>
                  {each.release === detail.since ? null : (
                    <Button
                      component={Link}
                      variant="default"
                      {...({
                        to: "/review/$group/releases/$number",
                        params: { group: detail.group, number: String(each.release) },
                        search: { workflow: detail.workflow },
                      } as object)}
                    >
                      {words.versions.rollBack}
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {picked.length === 2 ? (
        <Difference group={detail.group} workflow={detail.workflow} number={high} against={low} />
      ) : null}
    </>
  );
}

interface Props {
  group: string;
  workflow: string;
  number: number;
  against: number;
}

function Difference({ group, workflow, number, against }: Props) {
  const found = useQuery(differenceQuery(group, number, against));
  if (found.error) return <ErrorFace error={found.error} onRetry={() => void found.refetch()} />;
  if (found.data === undefined) return <SkeletonRows rows={4} />;
  const mine = found.data.workflows.find(
    (one: Schemas["WorkflowChanges"]) => one.workflow === workflow,
  );
  const changes = mine?.changes ?? [];
  return (
    <section className={`sw-panel ${classes.difference} ${classes.gap}`}>
      <h2 className={classes.section}>{words.versions.compareWith(number, against)}</h2>
      {changes.length === 0 ? (
        <p className="sw-soft">{words.versions.same}</p>
      ) : (
        <ul>
          {changes.map((one) => (
            <li key={`${one.kind} ${one.path}`}>
              {one.sentence} <span className="sw-soft">{one.impact}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
