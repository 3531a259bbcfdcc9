"""A web application that adds steps in its request's own transaction.

Start it with `.venv/bin/uvicorn --app-dir examples fastapi_app:app`.

A signup and the step that welcomes the customer commit together, or not at all. A singleton
runs every few seconds and counts. Both survive a kill of the process.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from stepwell import Engine, Outcome, Registry, Step, done, new_step, rerun
from stepwell.stores.sqlite import SQLiteStore

PATH = os.environ.get("SIGNUPS_DB", "signups.db")
EVERY = float(os.environ.get("SIGNUPS_COUNT_EVERY", "5"))

database = create_engine(f"sqlite:///{PATH}", connect_args={"timeout": 60})  # seconds, of others
registry = Registry()
engine = Engine(SQLiteStore(PATH), registry)  # the same file: one transaction can span both

TABLES = (
    "create table if not exists signups (email text primary key, plan text not null)",
    "create table if not exists welcomes (step text primary key, email text not null)",
    "create table if not exists totals (plan text primary key, customers integer not null)",
)


class Signup(BaseModel):
    """What a customer sends."""

    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    plan: str = "free"


@dataclass
class Welcome:
    """What the step needs to know."""

    email: str


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[None]:
    """The engine lives as long as the application; the singleton is added once for ever."""
    with database.begin() as connection:
        for table in TABLES:
            connection.execute(text(table))
    engine.store.migrate()
    with engine:
        await engine.add_async(new_step("v1/count", singleton=True, on_conflict="ignore"))
        yield


app = FastAPI(title="Signups", lifespan=running)


@app.post("/signups", status_code=201)
def sign_up(signup: Signup) -> dict[str, str]:
    """A row that is refused takes the step with it, although the step came first."""
    welcome = new_step("v1/welcome", Welcome(signup.email), search_key=signup.email)
    try:
        with database.begin() as connection:
            engine.add(welcome, connection=connection)
            connection.execute(
                text("insert into signups values (:email, :plan)"), signup.model_dump()
            )
    except IntegrityError as error:
        raise HTTPException(409, f"{signup.email} has signed up already.") from error
    return {"step": str(welcome.id)}


@app.get("/signups/{email}")
def look_up(email: str) -> dict[str, Any]:
    """How far the welcome is, read from the step itself."""
    steps = engine.search(name="v1/welcome", search_key=email)
    if not steps:
        raise HTTPException(404, f"{email} has not signed up.")
    return {"email": email, "welcome": steps[0].status, "steps": len(steps)}


@app.get("/totals")
def totals() -> dict[str, int]:
    """What the singleton counted last."""
    with database.connect() as connection:
        rows = connection.execute(text("select plan, customers from totals"))
        return {row.plan: row.customers for row in rows}


@registry.handler("v1/welcome")
def welcome(state: Welcome, step: Step) -> Outcome:
    """Keyed by the step, so that a second execution after a crash changes nothing."""
    with database.begin() as connection:
        connection.execute(
            text("insert or ignore into welcomes values (:step, :email)"),
            {"step": str(step.id), "email": state.email},
        )
    return done(f"welcomed {state.email}")


@registry.handler("v1/count")
def count() -> Outcome:
    """It never ends: each execution puts the same row back."""
    with database.begin() as connection:
        connection.execute(text("delete from totals"))
        connection.execute(
            text("insert into totals select plan, count(*) from signups group by plan")
        )
    return rerun(after=EVERY)
