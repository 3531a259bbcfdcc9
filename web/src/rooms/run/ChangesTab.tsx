import { IconHistory } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { FourFaces } from "@/components/FourFaces";
import { run as words } from "@/strings/run";
import { ComparisonView } from "./Comparison";
import { changesQuery, type RunDetail } from "./queries";

const said = words.changes;

export function ChangesTab({ run }: { run: RunDetail }) {
  const { data, isLoading, error, refetch } = useQuery(changesQuery(run.id));
  const found = data?.comparison ?? null;
  return (
    <FourFaces
      loading={isLoading}
      error={error}
      onRetry={() => void refetch()}
      empty={found === null}
      never={{
        title: said.none,
        text: said.noneText,
        icon: <IconHistory size={26} stroke={1.4} />,
      }}
    >
      {found ? <ComparisonView found={found} /> : null}
    </FourFaces>
  );
}
