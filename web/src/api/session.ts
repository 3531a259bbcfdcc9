/** Who is signed in, and what they may do. */

import { queryOptions, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { apiAddress, BASE } from "@/lib/page";
import { api, ok, type Schemas } from "./client";
import { ApiError } from "./error";
import { queryClient } from "./query";

export type Me = Schemas["Me"];
export type Role = Schemas["Role"];

export const ROLES = ["viewer", "operator", "reviewer", "admin"] as const satisfies Role[];

/** Whether `role` may do what `needed` may: each may all that the ones before it may. */
export function covers(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** The caller, or null where nobody is signed in. */
export const meQuery = queryOptions({
  queryKey: ["me"],
  staleTime: 300_000,
  queryFn: async (): Promise<Me | null> => {
    try {
      return await ok(api.GET("/api/v1/me"));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
});

export const waysQuery = queryOptions({
  queryKey: ["login"],
  staleTime: 0,
  queryFn: () => ok(api.GET("/api/v1/login")),
});

/** The caller; only below the shell, which has made sure that there is one. */
export function useMe(): Me {
  const { data } = useSuspenseQuery(meQuery);
  if (data === null) throw new ApiError({ status: 401, code: "session-ended" });
  return data;
}

/** Whether the caller may do what needs this role. */
export function useMay(needed: Role): boolean {
  const { data } = useQuery(meQuery);
  return data != null && !data.read_only && covers(data.role, needed);
}

export async function signOut(): Promise<void> {
  await ok(api.POST("/api/v1/logout"));
  queryClient.clear();
  tabs().postMessage("signed out");
}

/** Where the tabs of one server tell each other that somebody has signed out. */
function tabs(): BroadcastChannel {
  return new BroadcastChannel(`stepwell${BASE}`);
}

/** In another tab, where somebody may leave this one open to others. */
export function onSignOut(act: () => void): void {
  tabs().onmessage = act;
}

/** Whether somebody is signed in by now, whatever this tab believes; a name. */
export async function signedIn(): Promise<string | null> {
  const answer = await fetch(apiAddress("/me"), { credentials: "same-origin" }).catch(() => null);
  return answer?.ok ? ((await answer.json()) as Me).name : null;
}
