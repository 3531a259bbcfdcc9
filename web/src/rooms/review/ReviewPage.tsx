import { Alert, Button, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useRouter, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useMay } from "@/api/session";
import { CopyAs } from "@/components/CopyAs";
import { ErrorPage } from "@/components/ErrorPage";
import { SkeletonRows } from "@/components/FourFaces";
import { Instant } from "@/components/Instant";
import { PageHeader } from "@/components/PageHeader";
import { RoleGate } from "@/components/RoleGate";
import { UpLink } from "@/components/UpLink";
import { useKeys } from "@/lib/keys";
import { review as words } from "@/strings/review";
import { ApplyBar } from "./ApplyBar";
import { ChangeTable } from "./ChangeTable";
import { type Choice, type Choices, choose, decidable, nextOpen } from "./decisions";
import { Comments, Effects, Risks } from "./Effects";
import { FirstTour } from "./FirstTour";
import { Counts, short } from "./Marks";
import { OperationsDiff } from "./OperationsDiff";
import { ProposalAlert } from "./ProposalAlert";
import { type Offer, type Review, reviewQuery, useEntries, type WorkflowReview } from "./queries";
import { RawDiff } from "./RawDiff";
import classes from "./Review.module.css";
import { TryOnce } from "./TryOnce";
import { WorkflowList } from "./WorkflowList";

export const VIEWS = ["structured", "operations", "raw"] as const;
export type View = (typeof VIEWS)[number];

interface Props {
  offer: Offer;
  workflow: string | undefined;
  view: View;
  onGo: (to: { workflow?: string; view?: View }) => void;
  /** Whether somebody decides for the first time, and is shown around. */
  tour?: boolean;
  onTourEnd?: () => void;
}

/** A discovery under review. */
export function DiscoveryReview() {
  const from = "/shell/review/$group/$discovery";
  const { group, discovery } = useParams({ from });
  const { workflow, view = "structured", tour = false } = useSearch({ from });
  const navigate = useNavigate({ from: "/review/$group/$discovery" });
  return (
    <ReviewPage
      key={discovery}
      offer={{ group, discovery }}
      workflow={workflow}
      view={view}
      tour={tour}
      onTourEnd={() =>
        void navigate({ search: (old) => ({ ...old, tour: undefined }), replace: true })
      }
      onGo={(to) =>
        void navigate({
          search: (old) => ({ ...old, ...to }),
          replace: true,
        })
      }
    />
  );
}

/** An earlier release, offered again. */
export function RollbackReview() {
  const from = "/shell/review/$group/releases/$number";
  const { group, number } = useParams({ from });
  const { workflow, view = "structured" } = useSearch({ from });
  const navigate = useNavigate({ from: "/review/$group/releases/$number" });
  return (
    <ReviewPage
      key={number}
      offer={{ group, release: Number(number) }}
      workflow={workflow}
      view={view}
      onGo={(to) =>
        void navigate({
          search: (old) => ({ ...old, ...to }),
          replace: true,
        })
      }
    />
  );
}

/** One offer beside what is in force: what is different, what that does, and the decision. */
function ReviewPage(props: Props) {
  const found = useQuery(reviewQuery(props.offer));
  if (found.error) {
    return (
      <ErrorPage
        title={props.offer.group}
        above={<UpLink to="/review">{words.back}</UpLink>}
        error={found.error}
        onRetry={() => void found.refetch()}
      />
    );
  }
  if (found.data === undefined) return <SkeletonRows rows={14} />;
  return <Loaded {...props} review={found.data} />;
}

function Loaded({
  offer,
  workflow,
  view,
  onGo,
  tour,
  onTourEnd,
  review,
}: Props & { review: Review }) {
  const [choices, setChoices] = useState<Choices>({});
  const [trying, setTrying] = useState(false);
  const router = useRouter();
  const open = decidable(review.workflows);
  const shown =
    review.workflows.find((one) => one.workflow === workflow) ?? open[0] ?? review.workflows[0];
  const at = shown?.workflow ?? "";
  const waits = review.proposal ? words.proposalWaits : null;
  const may = useMay("reviewer") && waits === null;
  const decides = may && shown !== undefined && shown.standing !== "same";

  function decide(choice: Choice, until?: string) {
    if (!decides) return;
    const next = choose(choices, at, until === undefined ? { choice } : { choice, until });
    setChoices(next);
    const following = nextOpen(review.workflows, at, next);
    if (following !== undefined && until === undefined) onGo({ workflow: following });
  }

  // Where the last key has led: the next may come before that is drawn.
  const asked = () => (router.latestLocation.search as { workflow?: string }).workflow;
  const names = review.workflows.map((one) => one.workflow);
  const step = (by: number) => {
    const next = names[names.indexOf(asked() ?? at) + by];
    if (next !== undefined) onGo({ workflow: next });
  };
  const decideSeen = (choice: Choice) => {
    if (asked() === workflow) decide(choice);
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    a: () => decideSeen("accept"),
    d: () => decideSeen("reject"),
    h: () => decideSeen("hold"),
  });

  const entry = useEntries(offer, review).after.get(at);
  return (
    <div className={classes.page}>
      <Head offer={offer} review={review} />
      {review.verdict ? <Alert color="sand">{review.verdict}</Alert> : null}
      {review.proposal ? <ProposalAlert proposal={review.proposal} /> : null}
      <div className={classes.columns}>
        <WorkflowList
          review={review}
          choices={choices}
          may={may}
          at={at}
          onOpen={(name) => onGo({ workflow: name })}
        />
        <section className={classes.middle} aria-label={at} data-tour="changes">
          {shown === undefined ? null : (
            <>
              <WorkflowHead
                shown={shown}
                choice={choices[at]?.choice}
                waits={waits}
                onChoose={(choice) =>
                  choices[at]?.choice === choice
                    ? setChoices(choose(choices, at, null))
                    : decide(choice)
                }
                onTry={"discovery" in offer && entry !== undefined ? () => setTrying(true) : null}
              />
              <Views offer={offer} review={review} shown={shown} view={view} onGo={onGo} />
            </>
          )}
        </section>
        <aside className={classes.right} data-tour="effects">
          <Risks risks={review.risks} at={at} />
          <Effects review={review} at={at} />
          {"discovery" in offer ? <Comments group={offer.group} id={offer.discovery} /> : null}
        </aside>
      </div>
      <ApplyBar
        offer={offer}
        review={review}
        choices={choices}
        waits={waits}
        onChange={setChoices}
      />
      <FirstTour active={tour === true} onClose={onTourEnd ?? (() => undefined)} />
      {"discovery" in offer && entry !== undefined && trying ? (
        <TryOnce offer={offer} entry={entry} onClose={() => setTrying(false)} />
      ) : null}
    </div>
  );
}

function Head({ offer, review }: { offer: Offer; review: Review }) {
  const cli = `stepwell groups review ${offer.group}`;
  const path =
    "discovery" in offer
      ? `/groups/${offer.group}/discoveries/${offer.discovery}/diff`
      : `/groups/${offer.group}/releases/${offer.release}/review`;
  return (
    <PageHeader
      title={`${words.title}: ${offer.group}`}
      heading={offer.group}
      above={<UpLink to="/review">{words.back}</UpLink>}
      lead={
        <span className="sw-row sw-wrap">
          <Counts counts={review.counts} />
          <span className="sw-soft">
            {review.kind === "rollback" ? words.rollbackLead : review.image}
          </span>
          <span className="sw-mono sw-soft">
            {short(review.replaces[0] ?? null)} → {short(review.digest)}
          </span>
          <span className="sw-soft">
            <Instant at={review.found_at} as="ago" /> {words.foundBy(review.found_by)}
          </span>
        </span>
      }
      actions={<CopyAs call={{ cli, path }} />}
    />
  );
}

interface HeadProps {
  shown: WorkflowReview;
  choice: Choice | undefined;
  /** Why nothing can be decided now, whoever asks. */
  waits: string | null;
  onChoose: (choice: Choice) => void;
  onTry: (() => void) | null;
}

const COLOURS = { accept: "green", reject: "red", hold: "yellow" } as const;

function WorkflowHead({ shown, choice, waits, onChoose, onTry }: HeadProps) {
  const decided = shown.decided;
  return (
    <header className={classes.workflowHead}>
      <h2>
        {shown.workflow}
        {shown.renamed_from ? (
          <span className="sw-soft"> {words.renamedFrom(shown.renamed_from)}</span>
        ) : null}
      </h2>
      {decided ? (
        <span className="sw-soft">
          {words.decidedAs[decided.decision]} · {decided.decided_by} ·{" "}
          <Instant at={decided.decided_at} as="ago" />
          {decided.reason ? ` · ${decided.reason}` : ""}
        </span>
      ) : null}
      <span className="sw-grow" />
      {onTry === null ? null : (
        <RoleGate needs="reviewer">
          <Button variant="subtle" onClick={onTry}>
            {words.tryOnce}
          </Button>
        </RoleGate>
      )}
      {shown.standing === "same" ? null : (
        <fieldset className={classes.choices} aria-label={words.keys}>
          {(["accept", "reject", "hold"] as const).map((one) => (
            <RoleGate key={one} needs="reviewer" blocked={waits}>
              <Button
                variant={choice === one ? "filled" : "default"}
                color={choice === one ? COLOURS[one] : undefined}
                aria-pressed={choice === one}
                onClick={() => onChoose(one)}
              >
                {words.decide[one]}
              </Button>
            </RoleGate>
          ))}
        </fieldset>
      )}
    </header>
  );
}

interface ViewsProps {
  offer: Offer;
  review: Review;
  shown: WorkflowReview;
  view: View;
  onGo: Props["onGo"];
}

function Views({ offer, review, shown, view, onGo }: ViewsProps) {
  const { before, after } = useEntries(offer, review);
  const old = before.get(shown.renamed_from ?? shown.workflow) ?? null;
  const now = after.get(shown.workflow) ?? null;
  return (
    <Tabs value={view} onChange={(value) => onGo({ view: (value ?? "structured") as View })}>
      <Tabs.List>
        {VIEWS.map((one) => (
          <Tabs.Tab key={one} value={one}>
            {words.tabsOf[one]}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value="structured" pt="sm">
        <ChangeTable shown={shown} group={review.group_changes} release={review.release} />
      </Tabs.Panel>
      <Tabs.Panel value="operations" pt="sm">
        <OperationsDiff before={old} after={now} changes={shown.changes} release={review.release} />
      </Tabs.Panel>
      <Tabs.Panel value="raw" pt="sm">
        <RawDiff before={old} after={now} />
      </Tabs.Panel>
    </Tabs>
  );
}
