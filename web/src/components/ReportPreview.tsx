/** A report as it is: text, JSON, tables, images; pages only in a frame that may do nothing. */

import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { fetchOk, type Schemas } from "@/api/client";
import { exactText, parsedExact } from "@/lib/exact";
import { parsed } from "@/lib/json";
import { apiAddress } from "@/lib/page";
import { bytes } from "@/lib/time";
import { reports as words } from "@/strings/reports";
import { CodeBlock } from "./CodeBlock";
import { ErrorFace } from "./FourFaces";
import { JsonView } from "./JsonView";
import classes from "./ReportPreview.module.css";

const MOST = 2_000_000;
const ROWS = 500;
const FRAMED = new Set(["html", "plot", "markdown", "svg"]);

type Report = Schemas["Report"];

/** Where its content is. */
export function contentOf(report: Report): string {
  return apiAddress(`/reports/${report.id}/content`);
}

export function ReportPreview({ report }: { report: Report }) {
  if (report.kind === "image") {
    return <img className={classes.image} src={contentOf(report)} alt={report.name} />;
  }
  if (FRAMED.has(report.kind)) {
    return (
      <iframe
        className={classes.frame}
        src={contentOf(report)}
        title={words.preview(report.name)}
        sandbox=""
        referrerPolicy="no-referrer"
      />
    );
  }
  if (report.kind === "file" && !report.media_type.startsWith("text/")) {
    return <p>{words.noPreview}</p>;
  }
  if (report.size > MOST) return <p>{words.large(bytes(report.size))}</p>;
  return <Text report={report} />;
}

function Text({ report }: { report: Report }) {
  const { data, error, refetch } = useQuery({
    queryKey: ["reports", report.id, "content"],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => (await fetchOk(`/api/v1/reports/${report.id}/content`)).text(),
  });
  if (error) return <ErrorFace error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Skeleton height={200} />;
  const value = report.media_type.includes("json") ? parsed(data)?.value : undefined;
  const rows = report.kind === "table" ? rowsOf(value) : null;
  if (rows !== null) return <Rows rows={rows} />;
  if (value !== undefined)
    return <JsonView value={parsedExact(data)?.value} label={report.name} open={3} />;
  return (
    <CodeBlock label={report.name} tall wrap>
      {data}
    </CodeBlock>
  );
}

type Cells = Record<string, unknown>;

/** A list of objects, also where it lies under `rows`. */
function rowsOf(value: unknown): Cells[] | null {
  const list = Array.isArray(value) ? value : (value as { rows?: unknown } | null)?.rows;
  const fits = Array.isArray(list) && list.every((one) => typeof one === "object" && one !== null);
  return fits && list.length > 0 ? (list as Cells[]) : null;
}

function Rows({ rows }: { rows: Cells[] }) {
  const names = [...new Set(rows.slice(0, ROWS).flatMap((row) => Object.keys(row)))];
  return (
    <div className={classes.scroll}>
      <table className={classes.table}>
        <thead>
          <tr>
            {names.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, ROWS).map((row, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the rows of a report stay in order
            <tr key={at}>
              {names.map((name) => (
                <td key={name}>{shown(row[name])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? exactText(value) : String(value);
}
