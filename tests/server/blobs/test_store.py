"""The seam to object storage: the same verbs on a disk, in memory, and in the three clouds."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from moto.server import ThreadedMotoServer
from tests.server.blobs import clouds
from tests.server.blobs.fake_s3 import Bucket, serving

from stepwell.ids import new_id
from stepwell.server.blobs.store import (
    BlobMissing,
    BlobStore,
    BlobStoreInvalid,
    BlobStoreUnavailable,
    hour_of,
)

REGION = (
    '<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<LocationConstraint>eu-north-1</LocationConstraint></CreateBucketConfiguration>"
)


def point_at(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Say where S3 is, as an operator does."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "me",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "eu-north-1",
        "AWS_ENDPOINT_URL": address,
        "AWS_ALLOW_HTTP": "true",
        "AWS_TIMEOUT": "90 seconds",
        "AWS_CONNECT_TIMEOUT": "90 seconds",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket that the environment points at."""
    made = Bucket()
    with serving(made) as address:
        point_at(address, monkeypatch)
        yield made


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """Moto's S3 on this machine, with the bucket `stepwell`; yields its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    try:
        httpx.put(f"{address}/stepwell", content=REGION, timeout=90).raise_for_status()
        yield address
    finally:
        server.stop()


@pytest.fixture
def s3(moto: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The environment points at it."""
    point_at(moto, monkeypatch)
    return moto


@pytest.fixture
def gs(moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment points Google's storage at moto."""
    clouds.point_google_at(moto, tmp_path, monkeypatch)
    with clouds.spoken_to_by_google():
        yield


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with clouds.azurite(tmp_path_factory.mktemp("azurite")) as address:
        yield address


@pytest.fixture
def az(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment points at it."""
    clouds.point_azure_at(azurite, monkeypatch)


CLOUDS = ["s3", "gs", "az"]


@pytest.fixture(params=["disk", "memory", *CLOUDS])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param in CLOUDS:
        request.getfixturevalue(request.param)
        return BlobStore.at(f"{request.param}://stepwell/{new_id()}")
    if request.param == "disk":
        return BlobStore.on_disk(tmp_path / "new" / "blobs")
    return BlobStore.in_memory()


def test_what_is_put_is_read_until_it_is_deleted(store: BlobStore) -> None:
    one, other = new_id(), new_id()
    store.put(one, b"first")
    store.put(one, b"second \x00")
    store.put(other, b"")
    assert (store.get(one), store.get(other)) == (b"second \x00", b"")
    store.delete([one, new_id()])
    with pytest.raises(BlobMissing):
        store.get(one)
    assert store.get(other) == b""


def test_blobs_are_listed_by_the_hour_in_which_their_ids_were_made(store: BlobStore) -> None:
    ids = {new_id(), new_id()}
    for one in ids:
        store.put(one, b"x")
    hour = hour_of(min(ids))
    found = {*store.of_hour(hour), *store.of_hour(hour + timedelta(hours=1))}
    assert found == ids
    assert list(store.of_hour(hour - timedelta(hours=1))) == []


def test_objects_lie_below_the_prefix_of_the_address(bucket: Bucket) -> None:
    store, one = BlobStore.at("s3://stepwell/prefix"), new_id()
    store.put(one, b"x")
    assert [key.split("/")[0] for key in bucket.objects] == ["prefix"]
    assert next(iter(bucket.objects)).endswith(str(one))


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_bucket_that_is_not_there_is_an_error_that_may_be_tried_again(
    cloud: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(cloud)
    store = BlobStore.at(f"{cloud}://nobodys")
    with pytest.raises(BlobStoreUnavailable):
        store.put(new_id(), b"x")
    with pytest.raises(BlobStoreUnavailable):
        list(store.of_hour(hour_of(new_id())))


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_is_large_goes_in_pieces(cloud: str, request: pytest.FixtureRequest) -> None:
    """A result or report has up to 64 MiB."""
    request.getfixturevalue(cloud)
    store, one = BlobStore.at(f"{cloud}://stepwell/{new_id()}"), new_id()
    content = bytes(range(256)) * (12 * 1024 * 4)
    store.put(one, content)
    assert store.get(one) == content


@pytest.mark.parametrize(("cloud", "missing"), [("s3", 1000), ("gs", 50), ("az", 50)])
def test_many_are_deleted_at_once_and_those_that_are_missing_are_no_mistake(
    cloud: str, missing: int, request: pytest.FixtureRequest
) -> None:
    """S3 takes a thousand in a request."""
    request.getfixturevalue(cloud)
    store, ids = BlobStore.at(f"{cloud}://stepwell/{new_id()}"), [new_id() for _ in range(30)]
    for one in ids:
        store.put(one, b"x")
    store.delete([*ids[:20], *(new_id() for _ in range(missing))])
    hours = {hour_of(one) for one in ids}
    assert {one for hour in hours for one in store.of_hour(hour)} == set(ids[20:])


@pytest.mark.parametrize(
    ("url", "environment"),
    [
        ("gs://bucket/prefix", {"GOOGLE_SKIP_SIGNATURE": "true"}),
        (
            "az://container/prefix",
            {"AZURE_STORAGE_ACCOUNT_NAME": "me", "AZURE_STORAGE_ACCOUNT_KEY": "c2VjcmV0"},
        ),
    ],
)
def test_addresses_of_google_and_azure_are_taken_with_what_the_environment_says(
    url: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The very cloud, not what stands in for it elsewhere here; nothing is asked of it."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert isinstance(BlobStore.at(url), BlobStore)


def test_a_store_that_refuses_is_an_error_that_may_be_tried_again(bucket: Bucket) -> None:
    """And it shows no credentials."""
    bucket.down = True
    with pytest.raises(BlobStoreUnavailable) as refused:
        BlobStore.at("s3://stepwell").put(new_id(), b"x")
    assert "secret" not in str(refused.value)


def test_a_disk_that_cannot_be_written_is_an_error_that_may_be_tried_again(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("a file")
    with pytest.raises(BlobStoreUnavailable):
        BlobStore.on_disk(tmp_path / "blobs").put(new_id(), b"x")


@pytest.mark.parametrize("url", ["ftp://host/x", "nothing", "az://"])
def test_an_address_that_is_none_says_what_to_write(url: str) -> None:
    with pytest.raises(BlobStoreInvalid, match="s3://bucket/prefix"):
        BlobStore.at(url)


def test_a_file_address_is_a_folder(tmp_path: Path) -> None:
    store, one = BlobStore.at(f"file://{tmp_path}/there"), new_id()
    store.put(one, b"x")
    assert [path.name for path in (tmp_path / "there").rglob("*") if path.is_file()] == [str(one)]
