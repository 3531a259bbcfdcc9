import { duration } from "@/lib/time";
import { review as words } from "@/strings/review";
import { align, type Operation, type Pair, renamesOf } from "./operations";
import type { Change, Entry } from "./queries";
import classes from "./Review.module.css";

interface Props {
  before: Entry | null;
  after: Entry | null;
  changes: readonly Change[];
  release: number | null;
}

/** The operations of both versions as two lists side by side, aligned row by row. */
export function OperationsDiff({ before, after, changes, release }: Props) {
  const pairs = align(before?.operations ?? [], after?.operations ?? [], renamesOf(changes));
  return (
    <table className={classes.operations}>
      <thead>
        <tr>
          <th scope="col">{words.before(release)}</th>
          <th scope="col" className={classes.between}>
            <span className="sw-hidden">{words.tabsOf.structured}</span>
          </th>
          <th scope="col">{words.after}</th>
        </tr>
      </thead>
      <tbody>
        {pairs.map((pair) => (
          <tr key={`${pair.before?.name} ${pair.after?.name}`} data-fate={pair.fate}>
            <td>
              <Box of={pair.before} other={pair.after} />
            </td>
            <td className={classes.between}>
              <Fate of={pair} />
            </td>
            <td>
              <Box of={pair.after} other={pair.before} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const SIGNS = { same: "=", changed: "~", added: "+", removed: "−", renamed: "→", moved: "↕" };

function Fate({ of }: { of: Pair }) {
  return (
    <span className={classes.fate} data-fate={of.fate}>
      <span aria-hidden="true">{SIGNS[of.fate]}</span>
      <span className={of.fate === "same" ? "sw-hidden" : undefined}>{of.fate}</span>
    </span>
  );
}

function Box({ of, other }: { of: Operation | null; other: Operation | null }) {
  if (of === null) return <span className={classes.absent}>{words.entryMissing}</span>;
  return (
    <div className={classes.box}>
      <strong>{of.name}</strong>
      {of.description ? <p className="sw-soft">{of.description}</p> : null}
      <div className={classes.facts}>
        {facts(of).map(([key, text]) => (
          <span key={key} data-other={other !== null && !same(of, other, key) ? true : undefined}>
            {text}
          </span>
        ))}
      </div>
    </div>
  );
}

function facts(of: Operation): [keyof Operation & string, string][] {
  const inputs = Object.keys(of.inputs ?? {});
  const found: [keyof Operation & string, string][] = [["retries", words.retries(of.retries ?? 0)]];
  if (of.timeout != null) found.push(["timeout", words.timeout(duration(of.timeout))]);
  if (of.halt_on_error === false) found.push(["halt_on_error", words.goesOn]);
  if (inputs.length > 0) found.push(["inputs", `← ${inputs.join(", ")}`]);
  return found;
}

function same(one: Operation, other: Operation, key: string): boolean {
  return JSON.stringify(one[key]) === JSON.stringify(other[key]);
}
