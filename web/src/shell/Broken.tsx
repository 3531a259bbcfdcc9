import { Button } from "@mantine/core";
import { IconMapOff } from "@tabler/icons-react";
import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { ErrorFace, Face } from "@/components/FourFaces";
import { usePageTitle } from "@/components/PageHeader";
import { shell } from "@/strings/shell";

/** A page that met an error: what it was, and another try. */
export function Broken({ error, reset }: ErrorComponentProps) {
  usePageTitle(shell.broke);
  return <ErrorFace error={error} onRetry={reset} />;
}

/** What no other route knows: a page like the others, with the way to all of them. */
export function Missing() {
  usePageTitle(shell.notFound);
  return (
    <Face level={1} icon={<IconMapOff size={26} stroke={1.4} />} title={shell.notFound}>
      <p>{shell.notFoundMore}</p>
      <Button variant="default" renderRoot={(props) => <Link {...props} to="/" />}>
        {shell.toHome}
      </Button>
    </Face>
  );
}
