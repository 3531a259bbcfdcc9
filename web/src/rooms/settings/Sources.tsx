import { Select } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconRadar2 } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { api, ok, type Schemas } from "@/api/client";
import { asApiError } from "@/api/error";
import type { Column } from "@/components/DataTable";
import { Instant } from "@/components/Instant";
import { Listing } from "@/components/Listing";
import { settings } from "@/strings/settings";
import { Act, Acts, Add, actsColumn, nameColumn, Section, useDone, Word } from "./Parts";
import { imagesQuery, type Source, type SourceImage, sourcesQuery, usePages } from "./queries";
import classes from "./Settings.module.css";
import { DismissImage, RegisterImage, RemoveSource, Seen, SourceDialog } from "./SourceDialogs";

const words = settings.sources;

type Open =
  | { act: "add" }
  | { act: "change"; source: Source }
  | { act: "remove"; source: Source }
  | { act: "register"; image: SourceImage }
  | { act: "dismiss"; image: SourceImage }
  | null;

export function Sources() {
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const add = <Add needs="admin" main label={words.add} act={() => setOpen({ act: "add" })} />;
  return (
    <>
      <SourceList add={add} onOpen={setOpen} />
      <ImageList onOpen={setOpen} />
      {open === null ? null : open.act === "add" ? (
        <SourceDialog source={null} onClose={close} />
      ) : open.act === "change" ? (
        <SourceDialog source={open.source} onClose={close} />
      ) : open.act === "remove" ? (
        <RemoveSource source={open.source} onClose={close} />
      ) : open.act === "register" ? (
        <RegisterImage image={open.image} onClose={close} />
      ) : (
        <DismissImage image={open.image} onClose={close} />
      )}
    </>
  );
}

/** Tests and scans, which need no reason: what they said, and which source is at it. */
function useLooks() {
  const [busy, setBusy] = useState("");
  const [seen, setSeen] = useState<Schemas["Tested"] | null>(null);
  const done = useDone("sources");
  async function look(act: "test" | "scan", name: string) {
    setBusy(`${act} ${name}`);
    setSeen(null);
    const params = { path: { name } };
    try {
      if (act === "test") setSeen(await ok(api.POST("/api/v1/sources/{name}/tests", { params })));
      else {
        await ok(api.POST("/api/v1/sources/{name}/scans", { params }));
        await done();
      }
    } catch (error) {
      const problem = asApiError(error);
      notifications.show({ color: "red", title: problem.what, message: problem.fix });
    } finally {
      setBusy("");
    }
  }
  return { busy, seen, look };
}

function SourceList({ add, onOpen }: { add: React.ReactNode; onOpen: (open: Open) => void }) {
  // A scan that goes on ends in its own time.
  const found = usePages({
    ...sourcesQuery,
    refetchInterval: (query) =>
      query.state.data?.pages.some((page) => page.items.some((one) => one.scanning)) ? 1500 : false,
  });
  const looks = useLooks();
  const columns = sourceColumns(onOpen, looks);
  return (
    <Section title={settings.pages.sources} actions={add}>
      {looks.seen ? (
        <div className={classes.filters} style={{ display: "block" }}>
          <Seen tested={looks.seen} />
        </div>
      ) : null}
      <Listing
        label={settings.pages.sources}
        found={found}
        columns={columns}
        rowId={(one) => one.name}
        keys
        rows={3}
        never={{ title: words.none, text: words.noneText, icon: <IconRadar2 size={28} /> }}
      />
    </Section>
  );
}

function ImageList({ onOpen }: { onOpen: (open: Open) => void }) {
  const { source, state } = useSearch({ from: "/shell/settings" });
  const navigate = useNavigate({ from: "/settings" });
  const sources = usePages(sourcesQuery);
  const found = usePages(imagesQuery({ source, state }));
  const columns = useMemo(() => imageColumns(onOpen), [onOpen]);
  const filter = (next: { source?: string; state?: SourceImage["state"] }) =>
    void navigate({ search: (old) => ({ ...old, ...next }), replace: true });
  return (
    <Section
      title={words.images}
      actions={
        <>
          <Select
            size="xs"
            clearable
            aria-label={words.source}
            placeholder={words.allSources}
            data={sources.rows.map((one) => one.name)}
            value={source ?? null}
            onChange={(next) => filter({ source: next ?? undefined })}
          />
          <Select
            size="xs"
            clearable
            aria-label={words.state}
            placeholder={words.allStates}
            data={Object.entries(words.states).map(([value, label]) => ({ value, label }))}
            value={state ?? null}
            onChange={(next) => filter({ state: (next ?? undefined) as SourceImage["state"] })}
          />
        </>
      }
    >
      <Listing
        label={words.images}
        found={found}
        columns={columns}
        rowId={(one) => one.id}
        quiet={(one) => one.state === "dismissed" || one.state === "gone"}
        filtered={source !== undefined || state !== undefined}
        nothing={{
          title: words.noImages,
          onClear: () => filter({ source: undefined, state: undefined }),
        }}
        slim={source === undefined && state === undefined}
        never={{ title: words.noImages, text: words.noImagesText }}
      />
    </Section>
  );
}

function sourceColumns(
  onOpen: (open: Open) => void,
  { busy, look }: ReturnType<typeof useLooks>,
): Column<Source>[] {
  return [
    nameColumn((one) => (
      <div className={classes.two}>
        <span className={classes.name}>{one.name}</span>
        <span className={`${classes.small} sw-truncate`} title={one.location}>
          {words.kinds[one.kind]} · {one.location}
        </span>
      </div>
    )),
    {
      key: "filter",
      header: words.filter,
      width: "15%",
      cell: (one) => (
        <div className={classes.two}>
          <span className="sw-truncate">{one.include.join(", ") || words.all}</span>
          {one.exclude.length === 0 ? null : (
            <span className={`${classes.small} sw-truncate`}>
              {words.not} {one.exclude.join(", ")}
            </span>
          )}
        </div>
      ),
    },
    {
      key: "found",
      header: words.found,
      width: "7rem",
      cell: (one) => words.foundIn(one.images, one.waiting),
    },
    {
      key: "scanned",
      header: words.scanned,
      width: "11rem",
      cell: (one) => <Scanned source={one} />,
    },
    actsColumn("16rem", (one) => (
      <Acts>
        <Act
          needs="operator"
          label={words.scan}
          name={one.name}
          loading={busy === `scan ${one.name}`}
          onClick={() => void look("scan", one.name)}
        />
        <Act
          needs="admin"
          label={words.testRow}
          name={one.name}
          loading={busy === `test ${one.name}`}
          onClick={() => void look("test", one.name)}
        />
        <Act
          needs="admin"
          label={words.change}
          name={one.name}
          onClick={() => onOpen({ act: "change", source: one })}
        />
        <Act
          needs="admin"
          danger
          label={words.remove}
          name={one.name}
          onClick={() => onOpen({ act: "remove", source: one })}
        />
      </Acts>
    )),
  ];
}

function Scanned({ source }: { source: Source }) {
  if (source.scanning) return <Word tone="warn">{words.scanning}</Word>;
  const { what, fix } = (source.scan_error ?? {}) as Record<string, string | undefined>;
  return (
    <div className={classes.two}>
      {source.scanned_at === null ? settings.never : <Instant at={source.scanned_at} as="ago" />}
      {what === undefined ? null : (
        <span className={`${classes.small} ${classes.bad}`} title={fix}>
          {what}
        </span>
      )}
    </div>
  );
}

function imageColumns(onOpen: (open: Open) => void): Column<SourceImage>[] {
  return [
    {
      key: "image",
      header: words.image,
      card: "head",
      sort: (one) => one.image,
      cell: (one) => (
        <div className={classes.two}>
          <code className="sw-truncate" title={one.image}>
            {one.image}
          </code>
          <span className={`${classes.small} sw-truncate`}>
            {one.source}
            {one.digest === null ? "" : ` · ${one.digest.slice(0, 19)}`}
          </span>
        </div>
      ),
    },
    {
      key: "state",
      header: words.state,
      width: "7rem",
      sort: (one) => one.state,
      cell: (one) => (
        <Word
          tone={one.state === "waiting" ? "warn" : one.state === "registered" ? "good" : "plain"}
        >
          {words.states[one.state]}
        </Word>
      ),
    },
    {
      key: "group",
      header: words.group,
      width: "16%",
      cell: (one) =>
        one.group ?? (
          <span className="sw-soft">
            {((one.error ?? {}) as { what?: string }).what ?? one.stated_name ?? ""}
          </span>
        ),
    },
    {
      key: "seen",
      header: words.lastSeen,
      width: "8rem",
      sort: (one) => one.last_seen_at,
      cell: (one) => <Instant at={one.last_seen_at} as="ago" />,
    },
    actsColumn("11rem", (one) =>
      one.state === "waiting" || one.state === "dismissed" ? (
        <Acts>
          <Act
            needs="admin"
            label={words.register}
            name={one.image}
            onClick={() => onOpen({ act: "register", image: one })}
          />
          {one.state === "waiting" ? (
            <Act
              needs="admin"
              label={words.dismiss}
              name={one.image}
              onClick={() => onOpen({ act: "dismiss", image: one })}
            />
          ) : null}
        </Acts>
      ) : null,
    ),
  ];
}
