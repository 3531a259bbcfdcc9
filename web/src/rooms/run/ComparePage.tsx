import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { CopyAs } from "@/components/CopyAs";
import { ErrorFace, SkeletonRows } from "@/components/FourFaces";
import { PageHeader } from "@/components/PageHeader";
import { UpLink } from "@/components/UpLink";
import { run as words } from "@/strings/run";
import { ComparisonView } from "./Comparison";
import { compareQuery } from "./queries";

export function ComparePage() {
  const { runId, otherId } = useParams({ from: "/shell/runs/$runId/compare/$otherId" });
  const { data, error, refetch } = useQuery(compareQuery(runId, otherId));
  return (
    <>
      <PageHeader
        title={words.compareTitle}
        above={<UpLink to="/runs">{words.back}</UpLink>}
        actions={
          <CopyAs
            call={{
              cli: `stepwell runs compare ${runId} ${otherId}`,
              path: `/runs/${runId}/compare/${otherId}`,
            }}
          />
        }
      />
      {error ? <ErrorFace error={error} onRetry={() => void refetch()} /> : null}
      {!data && !error ? <SkeletonRows rows={8} /> : null}
      {data ? <ComparisonView found={data} /> : null}
    </>
  );
}
