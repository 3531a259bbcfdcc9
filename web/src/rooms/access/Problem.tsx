import { Alert } from "@mantine/core";
import { asApiError } from "@/api/error";

/** What the server says is wrong, above a form. */
export function Problem({ error }: { error: unknown }) {
  const { what, why, fix } = asApiError(error);
  return (
    <Alert color="red" role="alert" title={what}>
      {why} {fix}
    </Alert>
  );
}
