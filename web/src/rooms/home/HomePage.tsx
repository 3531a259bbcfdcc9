/** Is everything all right, and if not, what comes first? */

import { IconAlertHexagon, IconCircleCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { CopyAs } from "@/components/CopyAs";
import { ErrorFace, SkeletonRows } from "@/components/FourFaces";
import { InnerLink } from "@/components/InnerLink";
import { PageHeader } from "@/components/PageHeader";
import { useKeys } from "@/lib/keys";
import { summaryQuery } from "@/shell/summary";
import { home as words } from "@/strings/home";
import { Causes } from "./Causes";
import { Day } from "./Day";
import { FirstSteps } from "./FirstSteps";
import { Health } from "./Health";
import classes from "./Home.module.css";
import { NowStrip } from "./NowStrip";
import type { Summary } from "./queries";

export function HomePage() {
  const { data, error, refetch } = useQuery(summaryQuery);
  const { table } = useSearch({ from: "/shell/" });
  const navigate = useNavigate({ from: "/" });
  useKeys({
    t: () =>
      void navigate({
        search: (old) => ({ ...old, table: table ? undefined : true }),
        replace: true,
      }),
  });
  return (
    <>
      <PageHeader
        title={words.title}
        heading={data ? <Sentence summary={data} /> : words.title}
        actions={<CopyAs call={{ cli: "stepwell summary", path: "/summary" }} />}
      />
      {error && data === undefined ? (
        <ErrorFace error={error} onRetry={() => void refetch()} />
      ) : data === undefined ? (
        <SkeletonRows />
      ) : (
        <div className={classes.page}>
          <FirstSteps />
          <Causes failing={data.counts.failing} />
          <NowStrip summary={data} />
          <div className={classes.lower}>
            <Day summary={data} table={table === true} />
            <Health parts={data.health} />
          </div>
        </div>
      )}
    </>
  );
}

function isWell(summary: Summary): boolean {
  return (
    summary.counts.failing === 0 &&
    summary.counts.late === 0 &&
    summary.health.every((one) => one.state !== "problem")
  );
}

function Sentence({ summary }: { summary: Summary }) {
  const well = isWell(summary);
  return (
    <span className={classes.sentence} data-well={well || undefined}>
      {well ? (
        <IconCircleCheck size={26} role="img" aria-label={words.well} />
      ) : (
        <IconAlertHexagon size={26} role="img" aria-label={words.notWell} />
      )}
      <span>
        {summary.clauses.map((one) => (
          <span key={one.text}>
            <InnerLink href={one.link} className={classes.clause}>
              {one.text}
            </InnerLink>
            {". "}
          </span>
        ))}
      </span>
    </span>
  );
}
