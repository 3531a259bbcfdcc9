/** Why a run, or an operation of it, does not go on; nothing where it does. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { marked } from "@/components/marked";
import { Why } from "@/components/Why";
import { hasEnded, type RunDetail, whyQuery } from "./queries";

export function WhyPanel({ run, step }: { run: RunDetail; step?: string }) {
  const client = useQueryClient();
  const { data } = useQuery({ ...whyQuery(run.id, step), enabled: !hasEnded(run) });
  if (hasEnded(run) || !data) return null;
  if (!data.waiting) return step === undefined ? null : <p>{marked(data.sentence)}</p>;
  const refresh = () => client.invalidateQueries({ queryKey: ["run", run.id] });
  return <Why found={data} onActed={refresh} />;
}
