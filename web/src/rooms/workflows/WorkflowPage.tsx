import { Button, Tabs } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { CopyAs } from "@/components/CopyAs";
import { ErrorPage } from "@/components/ErrorPage";
import { SkeletonRows } from "@/components/FourFaces";
import { PageHeader } from "@/components/PageHeader";
import { RoleGate } from "@/components/RoleGate";
import { UpLink } from "@/components/UpLink";
import { workflows as words } from "@/strings/workflows";
import { Overview } from "./Overview";
import { WORKFLOW_TABS } from "./pages";
import { workflowQuery } from "./queries";
import { RunNow } from "./RunNow";
import { Reports, Runs, Schedules, State } from "./Tabs";
import { Versions } from "./Versions";

const FROM = "/shell/workflows/$group/$workflow";

type Tab = (typeof WORKFLOW_TABS)[number];

/** One workflow: what its source declares, how it goes, and how it came to be so. */
export function WorkflowPage() {
  const { group, workflow } = useParams({ from: FROM });
  const { tab = "overview", start } = useSearch({ from: FROM });
  const navigate = useNavigate({ from: "/workflows/$group/$workflow" });
  const found = useQuery(workflowQuery(group, workflow));
  const name = `${group}/${workflow}`;
  const above = <UpLink to="/workflows">{words.title}</UpLink>;
  if (found.error) {
    return (
      <ErrorPage
        title={name}
        above={above}
        error={found.error}
        onRetry={() => void found.refetch()}
      />
    );
  }
  if (found.data === undefined) return <SkeletonRows rows={12} />;
  const detail = found.data;
  const open = (opened: boolean) =>
    void navigate({ search: (old) => ({ ...old, start: opened || undefined }), replace: true });
  return (
    <>
      <PageHeader
        title={name}
        heading={
          <>
            <span className="sw-soft">{group}/</span>
            {workflow}
          </>
        }
        above={above}
        lead={detail.description}
        actions={
          <>
            <CopyAs call={{ cli: `stepwell workflows show ${name}`, path: `/workflows/${name}` }} />
            <RoleGate needs="operator">
              <Button leftSection={<IconPlayerPlay size={14} />} onClick={() => open(true)}>
                {words.start}
              </Button>
            </RoleGate>
          </>
        }
      />
      <Tabs
        value={tab}
        onChange={(next) =>
          void navigate({
            search: { tab: next === "overview" ? undefined : ((next ?? undefined) as Tab) },
          })
        }
      >
        <Tabs.List>
          {WORKFLOW_TABS.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {words.tabs[one]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="overview" pt="md">
          <Overview detail={detail} />
        </Tabs.Panel>
        <Tabs.Panel value="runs" pt="md">
          <Runs group={group} workflow={workflow} />
        </Tabs.Panel>
        <Tabs.Panel value="schedules" pt="md">
          <Schedules group={group} workflow={workflow} />
        </Tabs.Panel>
        <Tabs.Panel value="versions" pt="md">
          <Versions detail={detail} />
        </Tabs.Panel>
        <Tabs.Panel value="state" pt="md">
          <State group={group} workflow={workflow} />
        </Tabs.Panel>
        <Tabs.Panel value="reports" pt="md">
          <Reports group={group} workflow={workflow} />
        </Tabs.Panel>
      </Tabs>
      {start ? <RunNow detail={detail} onClose={() => open(false)} /> : null}
    </>
  );
}
