import type { ReactNode } from "react";
import type { Found } from "@/lib/found";
import { type Column, DataTable } from "./DataTable";
import { FourFaces } from "./FourFaces";
import classes from "./Listing.module.css";

interface ListingProps<T extends object> {
  label: string;
  found: Found<T>;
  columns: Column<T>[];
  rowId: (row: T) => string;
  rowName?: (row: T) => string;
  never: { title: string; text: ReactNode; action?: ReactNode; icon?: ReactNode };
  filtered?: boolean;
  nothing?: { title: string; onClear?: () => void };
  onOpen?: (row: T) => void;
  current?: string;
  quiet?: (row: T) => boolean;
  /** Whether j and k are this list's: of one list on a page. */
  keys?: boolean;
  /** So many lines stand for it while it loads. */
  rows?: number;
  rowHeight?: number;
  /** One of several lists of a page: what it says while it is empty is a line. */
  slim?: boolean;
}

/** A list with its four faces: while it loads, empty in two ways, in error, and as a table. */
export function Listing<T extends object>(props: ListingProps<T>) {
  const { found, quiet, never } = props;
  const empty = found.rows.length === 0;
  if (props.slim && empty && !found.loading && !found.error) {
    return (
      <p className={`${classes.slim} sw-panel`}>
        {never.title}. <span className="sw-soft">{never.text}</span>
      </p>
    );
  }
  return (
    <FourFaces
      loading={found.loading}
      error={found.error}
      onRetry={found.retry}
      empty={empty}
      filtered={props.filtered}
      never={never}
      nothing={props.nothing}
      rows={props.rows}
    >
      <div className="sw-panel" aria-busy={found.former}>
        <DataTable
          label={props.label}
          columns={props.columns}
          rows={found.rows}
          rowId={props.rowId}
          rowName={props.rowName}
          onOpen={props.onOpen}
          current={props.current}
          rowTone={quiet === undefined ? undefined : (row) => (quiet(row) ? "quiet" : undefined)}
          more={found.more}
          keys={props.keys ?? false}
          rowHeight={props.rowHeight}
        />
      </div>
    </FourFaces>
  );
}
