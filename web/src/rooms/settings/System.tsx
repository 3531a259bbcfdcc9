import { Button } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMe } from "@/api/session";
import { CodeBlock } from "@/components/CodeBlock";
import { ErrorFace, SkeletonRows } from "@/components/FourFaces";
import { ENVIRONMENT } from "@/lib/page";
import { number } from "@/lib/time";
import { settings } from "@/strings/settings";
import { bundleOf, type Health } from "./bundle";
import { Section, Word } from "./Parts";
import { healthQuery, summaryQuery } from "./queries";
import classes from "./Settings.module.css";

const words = settings.system;
const TONES = { ok: "good", warning: "warn", problem: "bad" } as const;

export function System() {
  const health = useQuery(healthQuery);
  if (health.error) {
    return <ErrorFace error={health.error} onRetry={() => void health.refetch()} />;
  }
  if (health.data === undefined) return <SkeletonRows rows={8} />;
  return <Facts health={health.data} />;
}

function Facts({ health }: { health: Health }) {
  const me = useMe();
  const mode = me.mode ?? "server";
  const summary = useQuery({ ...summaryQuery, enabled: mode === "server" });
  const counts = summary.data?.counts;
  const environment = me.environment ?? ENVIRONMENT;
  return (
    <>
      <Section title={settings.pages.system}>
        <dl className={`${classes.facts} sw-panel`}>
          <div>
            <dt>{words.state}</dt>
            <dd>
              <Word tone={TONES[health.status]}>{words.states[health.status]}</Word>
            </dd>
          </div>
          <div>
            <dt>{words.version}</dt>
            <dd>{health.version}</dd>
          </div>
          <div>
            <dt>{words.environment}</dt>
            <dd>{environment || "–"}</dd>
          </div>
          <div>
            <dt>{words.mode}</dt>
            <dd>{words.modes[mode]}</dd>
          </div>
        </dl>
      </Section>
      <Section title={words.parts}>
        {health.parts == null || health.parts.length === 0 ? (
          <p className={classes.lead}>{words.noParts}</p>
        ) : (
          <ul className={`${classes.parts} sw-panel`}>
            {health.parts.map((part) => (
              <li key={part.name}>
                <span className={classes.name}>{part.name}</span>
                <span>
                  <Word tone={TONES[part.state]}>{words.states[part.state]}</Word>
                </span>
                <span>{part.sentence}</span>
              </li>
            ))}
          </ul>
        )}
      </Section>
      {counts === undefined ? null : (
        <Section title={words.counts}>
          <dl className={`${classes.facts} sw-panel`}>
            {Object.entries(counts).map(([name, count]) => (
              <div key={name}>
                <dt>{words.countsOf[name] ?? name}</dt>
                <dd>{number(count)}</dd>
              </div>
            ))}
          </dl>
        </Section>
      )}
      <Bundle text={JSON.stringify(bundleOf(health, counts, environment, mode), null, 2)} />
    </>
  );
}

function Bundle({ text }: { text: string }) {
  return (
    <Section
      title={words.bundle}
      lead={words.bundleLead}
      actions={
        <Button
          component="a"
          variant="default"
          leftSection={<IconDownload size={14} />}
          href={`data:application/json;charset=utf-8,${encodeURIComponent(text)}`}
          download="stepwell-support.json"
        >
          {words.download}
        </Button>
      }
    >
      <CodeBlock label={words.bundle} tall>
        {text}
      </CodeBlock>
      <p className={classes.lead}>{words.doctor}</p>
      <CodeBlock label={words.doctor}>stepwell doctor</CodeBlock>
    </Section>
  );
}
