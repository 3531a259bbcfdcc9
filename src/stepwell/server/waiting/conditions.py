"""What a launcher reports, in words. A new launcher needs nothing here: it delivers a
`launchers.protocol.Condition` with one of these codes, and of the details what it knows.

============== =================================================================
K8S_QUOTA      quota, resource, needs, used, hard, namespace
K8S_UNSCHEDULABLE  needs, largest_free or largest_node, nodes, tainted
K8S_IMAGE      image, error, secret
K8S_CONFIG     kind, name, namespace, key
K8S_ADMISSION  policy, error
STARTING       doing, size (bytes), node, usual (seconds)
LOST           node
============== =================================================================

Amounts are texts for people ("8 CPU"), `nodes` and `tainted` numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from stepwell.launchers.protocol import Condition
from stepwell.server.waiting.records import Action, Blocking, Code, Reason
from stepwell.server.words import counted, first_line, span

Details = Mapping[str, Any]


def reason(condition: Condition, run_id: str, group: str, now: datetime) -> Reason:
    """The reason that a launcher's condition is, for a run of this group."""
    make = _MAKERS.get(condition.code)
    if make is None:
        said = first_line(condition.message, condition.code)
        return Reason(
            code=Code.STARTING,
            sentence=f"The launcher says: {said}.",
            since=condition.since,
            changes="when the launcher reports something else",
        )
    made = make(condition.details, condition)
    made.since = condition.since
    if made.code is Code.STARTING and condition.since is not None:
        made.sentence = _so_far(made.sentence, now - condition.since, condition.details)
    made.actions = [*made.actions, *_remedies(made.code, group), _look(run_id)]
    return made


def _remedies(code: Code, group: str) -> list[Action]:
    """What mends it on the side of the group, as far as that is where it can be mended."""
    if code in (Code.K8S_QUOTA, Code.K8S_UNSCHEDULABLE, Code.K8S_ADMISSION):
        command = f"stepwell groups change {group} --launch-options FILE"
        path = f"/groups/{group}"
        return [Action(label="change what it asks for", command=command, method="GET", path=path)]
    if code is Code.K8S_IMAGE:
        command, path = f"stepwell groups discover {group}", f"/groups/{group}/discoveries"
        label = "test the credentials"  # looking into the image pulls it, as a run does
        return [Action(label=label, command=command, method="POST", path=path)]
    return []


def _look(run_id: str) -> Action:
    path = f"/runs/{run_id}"
    command = f"stepwell runs show {run_id}"
    return Action(label="see what the cluster says", command=command, method="GET", path=path)


def _quota(details: Details, condition: Condition) -> Reason:
    quota = details.get("quota", "the quota")
    used = ""
    if "used" in details and "hard" in details:
        used = f": {details['used']} of {details['hard']} are used"
    what = f" of {details['resource']}" if "resource" in details else ""
    needs = f"needs {details['needs']}" if "needs" in details else "needs more than is left"
    return Reason(
        code=Code.K8S_QUOTA,
        sentence=f"The quota *{quota}*{what} is full{used}; the container {needs}.",
        changes="when others end, or the quota is raised",
        blocking=_thing("quota", details, str(quota)),
    )


def _unschedulable(details: Details, condition: Condition) -> Reason:
    needs, free = details.get("needs"), details.get("largest_free")
    if needs is None:
        sentence = f"No node takes it: {first_line(condition.message)}."
    else:
        most = details.get("largest_node")
        largest = f"; the largest node has {most}" if most is not None else ""
        largest = f"; largest free on any node is {free}" if free is not None else largest
        sentence = f"Needs {needs}{largest}{_nodes(details)}."
    return Reason(
        code=Code.K8S_UNSCHEDULABLE,
        sentence=sentence,
        changes="when a node has room, or the workflow asks for less",
    )


def _nodes(details: Details) -> str:
    if "nodes" not in details:
        return ""
    tainted = f", {details['tainted']} tainted" if details.get("tainted") else ""
    return f" ({counted(int(details['nodes']), 'node')}{tainted})"


def _image(details: Details, condition: Condition) -> Reason:
    error = first_line(details.get("error") or condition.message)
    secret = details.get("secret")
    doubt = f" (secret *{secret}* expired?)" if secret else ""
    return Reason(
        code=Code.K8S_IMAGE,
        sentence=f"Cannot pull {details.get('image', 'the image')}: {error}{doubt}.",
        changes="when the image can be pulled; it is tried again and again",
        blocking=_thing("secret", details, secret) if secret else None,
    )


def _config(details: Details, condition: Condition) -> Reason:
    if "name" not in details:
        sentence = f"Its configuration does not fit: {first_line(condition.message)}."
        return Reason(code=Code.K8S_CONFIG, sentence=sentence, changes="when it is corrected")
    kind, name = str(details.get("kind", "Secret")), str(details["name"])
    space = str(details.get("namespace", "default"))
    key = f" has no key *{details['key']}*" if "key" in details else " not found"
    place = f" in namespace *{space}*"
    command = f"kubectl --namespace {space} create {_resource(kind)} {name} --from-literal=KEY=..."
    return Reason(
        code=Code.K8S_CONFIG,
        sentence=f"{kind} *{name}*{key}{place}.",
        changes=f"when the {kind} is there",
        blocking=_thing(kind.lower(), details, name),
        actions=[Action(label=f"make the {kind}", command=command)],
    )


def _resource(kind: str) -> str:
    return "secret generic" if kind == "Secret" else kind.lower()


def _admission(details: Details, condition: Condition) -> Reason:
    policy = details.get("policy")
    error = first_line(details.get("error") or condition.message, "")
    who = f"Policy *{policy}*" if policy else "The cluster"
    return Reason(
        code=Code.K8S_ADMISSION,
        sentence=f"{who} rejected the Job{f': {error}' if error else ''}.",
        changes="when the policy, or what the group asks for, is changed",
        blocking=_thing("policy", details, policy) if policy else None,
    )


def _starting(details: Details, condition: Condition) -> Reason:
    doing = str(details.get("doing") or "Starting")
    size = f" {_size(details['size'])}" if "size" in details else ""
    node = f" on {details['node']}" if "node" in details else ""
    pulls = "size" in details or doing == "Pulling"
    what = f"{doing}{size or ' its'} image{node}" if pulls else f"{doing}{node}"
    return Reason(code=Code.STARTING, sentence=f"{what}.", changes="when the image runs")


def _lost(details: Details, condition: Condition) -> Reason:
    node = f"Its node *{details['node']}*" if details.get("node") else "Its node"
    return Reason(
        code=Code.LOST,
        sentence=f"{node} is not heard of, and its container with it; the next attempt starts "
        "when the cluster has given it up.",
        changes="when the node is heard of again, or its container is given up",
    )


def _so_far(sentence: str, already: timedelta, details: Details) -> str:
    usual = f" (usually {details['usual']:g} s)" if "usual" in details else ""
    return f"{sentence.rstrip('.')}, {span(already)} so far{usual}."


def _size(amount: float) -> str:
    units = ("B", "kB", "MB", "GB")
    place = 0
    while amount >= 1000 and place < len(units) - 1:
        amount, place = amount / 1000, place + 1
    return f"{amount:.3g} {units[place]}"


def _thing(kind: str, details: Details, name: Any) -> Blocking:
    space = details.get("namespace", "")
    return Blocking(kind=kind, id=f"{space}/{name}".lstrip("/"), name=str(name), link="")


_MAKERS: Final[dict[str, Callable[[Details, Condition], Reason]]] = {
    Code.K8S_QUOTA: _quota,
    Code.K8S_UNSCHEDULABLE: _unschedulable,
    Code.K8S_IMAGE: _image,
    Code.K8S_CONFIG: _config,
    Code.K8S_ADMISSION: _admission,
    Code.STARTING: _starting,
    Code.LOST: _lost,
}
