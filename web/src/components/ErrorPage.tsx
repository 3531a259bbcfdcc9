import type { ReactNode } from "react";
import { ErrorFace } from "./FourFaces";
import { PageHeader } from "./PageHeader";

interface Props {
  title: string;
  /** The way back to the list. */
  above: ReactNode;
  error: unknown;
  onRetry: () => void;
}

/** A screen that cannot be shown: what it is called, the way back, and what went wrong. */
export function ErrorPage({ title, above, error, onRetry }: Props) {
  return (
    <>
      <PageHeader title={title} above={above} />
      <ErrorFace error={error} onRetry={onRetry} />
    </>
  );
}
