import { Button, Loader } from "@mantine/core";
import { IconActivity, IconFilterMinus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useState } from "react";
import { asApiError } from "@/api/error";
import { Coded } from "@/components/Coded";
import { CopyAs, quoted } from "@/components/CopyAs";
import { Count } from "@/components/Count";
import { DataTable } from "@/components/DataTable";
import { FourFaces } from "@/components/FourFaces";
import { Instant } from "@/components/Instant";
import { NewPill } from "@/components/NewPill";
import { PageHeader } from "@/components/PageHeader";
import { QueryBar } from "@/components/QueryBar";
import { clauses, having, written } from "@/lib/query";
import { runs as words } from "@/strings/runs";
import { steps } from "@/strings/steps";
import { BulkBar } from "./BulkBar";
import { BulkProgress } from "./BulkProgress";
import { ColumnsMenu } from "./ColumnsMenu";
import { chosen, runColumns, unlessUsual } from "./columns";
import { ExportMenu } from "./ExportMenu";
import { Histogram } from "./Histogram";
import { complete, countQuery, type FoundRuns, type Run, usualQuery } from "./queries";
import classes from "./RunsPage.module.css";
import type { Usual } from "./TookBar";
import { useRuns } from "./useRuns";
import { ViewsBar } from "./ViewsBar";

const NONE: Usual = new Map();

export function RunsPage() {
  const search = useSearch({ from: "/shell/runs" });
  const navigate = useNavigate({ from: "/runs" });
  const q = search.q ?? "";
  const found = useRuns(q);
  const { data: usual } = useQuery(usualQuery);
  const { selection, everything, clear, setEverything } = useSelection(q);
  const keys = useMemo(() => chosen(search.columns), [search.columns]);
  const columns = useMemo(() => runColumns(keys, usual ?? NONE), [keys, usual]);

  const setQuery = useCallback(
    (change: (now: string) => string) =>
      void navigate({ search: (old) => ({ ...old, q: change(old.q ?? "") || undefined }) }),
    [navigate],
  );
  const setBulk = useCallback(
    (bulk: string | undefined) =>
      void navigate({ search: (old) => ({ ...old, bulk }), replace: true }),
    [navigate],
  );
  const open = useCallback(
    (run: Run) => void navigate({ to: "/runs/$runId", params: { runId: run.id }, search: {} }),
    [navigate],
  );

  const error = found.error === null ? null : asApiError(found.error);
  const unread = error?.code === "query-invalid";
  const first = found.data?.pages[0];
  const last = found.data?.pages.at(-1);
  return (
    <>
      <PageHeader
        title={words.title}
        actions={
          <>
            <Link to="/steps">{steps.ofRuns}</Link>
            <ExportMenu q={q} />
            <CopyAs
              call={{
                cli: `stepwell runs list${q ? ` ${quoted(q)}` : ""}`,
                path: `/runs${q ? `?q=${encodeURIComponent(q)}` : ""}`,
              }}
            />
          </>
        }
      />
      <ViewsBar q={q} view={search.view} columns={search.columns} />
      <QueryBar
        value={q}
        onChange={setQuery}
        complete={complete}
        label={words.query}
        placeholder={words.placeholder}
        problem={unread ? `${error.what} ${error.why} ${error.fix}` : null}
      />
      {search.bulk ? (
        <BulkProgress
          key={search.bulk}
          id={search.bulk}
          onHide={() => setBulk(undefined)}
          onStarted={(bulk) => setBulk(bulk.id)}
        />
      ) : null}
      <div className={classes.chart}>
        <Histogram
          q={q}
          onSpan={(since, until) =>
            setQuery((now) => having(having(now, "since", since), "until", until))
          }
        />
      </div>
      <div className={classes.bar}>
        <Total q={q} />
        {found.isFetching && !found.isLoading ? <Loader size={12} /> : null}
        <span className="sw-grow" />
        <ColumnsMenu
          keys={keys}
          onChange={(change) =>
            void navigate({
              search: (old) => ({ ...old, columns: unlessUsual(change(chosen(old.columns))) }),
              replace: true,
            })
          }
        />
      </div>
      <NewPill count={found.fresh} noun={words.noun} onShow={() => void found.refresh()} />
      <div className="sw-panel" aria-busy={found.isPlaceholderData}>
        <FourFaces
          loading={found.isLoading || (found.isPlaceholderData && found.rows.length === 0)}
          error={unread ? null : found.error}
          onRetry={() => void found.refetch()}
          empty={found.rows.length === 0}
          filtered={q !== ""}
          never={{
            title: words.never,
            text: words.neverText,
            icon: <IconActivity size={26} stroke={1.4} />,
            action: (
              <Button renderRoot={(props) => <Link {...props} to="/workflows" />}>
                {words.neverAction}
              </Button>
            ),
          }}
          nothing={{
            title: words.nothing,
            text: <Hint page={first} q={q} />,
            onClear: () => setQuery(() => ""),
            action: <WithoutHint page={first} q={q} onChange={(next) => setQuery(() => next)} />,
          }}
        >
          <DataTable
            label={words.title}
            columns={columns}
            rows={found.rows}
            rowId={(run) => run.id}
            rowName={(run) => `${run.group}/${run.workflow}, ${run.state}`}
            onOpen={open}
            selection={{ ids: selection, onChange: setEverything.only }}
            more={{
              there: found.hasNextPage,
              loading: found.isFetchingNextPage,
              load: () => void found.fetchNextPage(),
            }}
          />
          {last?.searched_to ? (
            <p className={classes.searched}>
              {words.searchedTo} <Instant at={last.searched_to} />.
            </p>
          ) : null}
        </FourFaces>
      </div>
      <BulkBar
        q={q}
        ids={selection}
        everything={everything}
        rows={found.rows}
        onEverything={setEverything.all}
        onClear={clear}
        onStarted={(bulk) => {
          clear();
          setBulk(bulk.id);
        }}
      />
    </>
  );
}

/** The selected rows; or all that match, however many. Another query begins anew. */
function useSelection(q: string) {
  const [selection, setSelection] = useState<ReadonlySet<string>>(new Set());
  const [everything, setAll] = useState(false);
  const clear = useCallback(() => {
    setSelection(new Set());
    setAll(false);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another query begins anew
  useEffect(clear, [q, clear]);
  const setEverything = useMemo(
    () => ({
      all: () => setAll(true),
      only: (ids: Set<string>) => {
        setSelection(ids);
        setAll(false);
      },
    }),
    [],
  );
  return { selection, everything, clear, setEverything };
}

function Total({ q }: { q: string }) {
  const [exactly, setExactly] = useState("");
  const wanted = exactly === `=${q}`;
  const { data, isFetching } = useQuery(countQuery(q, wanted));
  if (data === undefined) return <span className="sw-soft">…</span>;
  return (
    <span className="sw-soft">
      <strong className={classes.total}>
        <Count
          value={data.count}
          more={data.more}
          loading={isFetching && wanted}
          onExact={() => setExactly(`=${q}`)}
        />
      </strong>{" "}
      {words.total}
    </span>
  );
}

function Hint({ page, q }: { page: FoundRuns | undefined; q: string }) {
  return (
    <>
      <p>
        <code>{q}</code>
      </p>
      {page?.hint ? (
        <p>
          <Coded>{page.hint.sentence}</Coded>
        </p>
      ) : null}
    </>
  );
}

function WithoutHint({
  page,
  q,
  onChange,
}: {
  page: FoundRuns | undefined;
  q: string;
  onChange: (q: string) => void;
}) {
  const hint = page?.hint;
  if (!hint) return null;
  const rest = clauses(q).filter((one) => one.start + 1 !== hint.column);
  return (
    <Button leftSection={<IconFilterMinus size={15} />} onClick={() => onChange(written(rest))}>
      {words.without(hint.clause)}
    </Button>
  );
}
