"""Sagas: steps that are undone in reverse order when a later one fails."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from harness.history import activities_of
from harness.workers import attempts, unique, worker

SHORT = timedelta(seconds=10)
QUICK = timedelta(milliseconds=20)


async def step(name: str, argument: Any, tries: int = 3) -> Any:
    """One activity by name, called from workflow code."""
    return await workflow.execute_activity(
        name,
        argument,
        start_to_close_timeout=SHORT,
        retry_policy=RetryPolicy(maximum_attempts=tries, initial_interval=QUICK),
    )


@activity.defn
async def book_car(booking: dict) -> str:
    return f"car-{booking['trip']}"


@activity.defn
async def book_hotel(booking: dict) -> str:
    return f"hotel-{booking['trip']}"


@activity.defn
async def book_flight(booking: dict) -> str:
    attempts.count()
    if booking.get("full"):
        raise ApplicationError("No seats remaining")
    return f"flight-{booking['trip']}"


@activity.defn
async def undo_book_car(booking: dict) -> None:
    attempts.count()
    if booking.get("car_stuck"):
        raise ApplicationError("garage closed")


@activity.defn
async def undo_book_hotel(booking: dict) -> None:
    activity.logger.info("hotel undone")


BOOKING = [book_car, book_hotel, book_flight, undo_book_car, undo_book_hotel]


@workflow.defn
class BookingWorkflow:
    @workflow.run
    async def run(self, booking: dict) -> dict:
        compensations: list[Callable] = []
        try:
            car = await step("book_car", booking)
            compensations.append(lambda: step("undo_book_car", booking))
            hotel = await step("book_hotel", booking)
            compensations.append(lambda: step("undo_book_hotel", booking))
            flight = await step("book_flight", booking)
            return {"status": "success", "car": car, "hotel": hotel, "flight": flight}
        except ActivityError as error:
            for compensation in reversed(compensations):
                try:
                    await compensation()
                except ActivityError as stuck:
                    workflow.logger.info("compensation failed: %s", stuck)
            return {"status": "rolled_back", "error": str(error.cause)}


async def test_booking_succeeds(client: Client) -> None:
    """Seed 001, lines 3677-3730."""
    async with worker(client, [BookingWorkflow], BOOKING) as queue:
        handle = await client.start_workflow(
            BookingWorkflow.run, {"trip": "T1"}, id=unique("saga-success"), task_queue=queue
        )
        assert await handle.result() == {
            "status": "success",
            "car": "car-T1",
            "hotel": "hotel-T1",
            "flight": "flight-T1",
        }
        assert await activities_of(handle) == ["book_car", "book_hotel", "book_flight"]


@pytest.mark.parametrize("car_stuck", [False, True])
async def test_booking_rolls_back(client: Client, car_stuck: bool) -> None:
    """Seed 001, lines 3731-3744: compensations in reverse; one that fails does not stop
    the rest."""
    booking = {"trip": "T2", "full": True, "car_stuck": car_stuck}
    async with worker(client, [BookingWorkflow], BOOKING) as queue:
        handle = await client.start_workflow(
            BookingWorkflow.run, booking, id=unique("saga-failure"), task_queue=queue
        )
        assert await handle.result() == {"status": "rolled_back", "error": "No seats remaining"}
        assert (await activities_of(handle))[2:] == [
            "book_flight",
            "undo_book_hotel",
            "undo_book_car",
        ]
        assert attempts.of(handle.id, "undo_book_car") == (3 if car_stuck else 1)


@dataclass
class BookingRequest:
    car_id: str
    hotel_id: str
    flight_id: str


@dataclass
class BookingResult:
    success: bool
    car_booking: str | None = None
    hotel_booking: str | None = None
    flight_booking: str | None = None
    error: str | None = None


@activity.defn(name="reserve")
async def reserve(what: str) -> str:
    attempts.count()
    if what.startswith("invalid"):
        raise ValueError(f"{what} is not known")
    return f"{what}-booked"


@activity.defn(name="release")
async def release(booking_id: str) -> str:
    return booking_id


@workflow.defn
class TripBookingSaga:
    @workflow.run
    async def run(self, request: BookingRequest) -> BookingResult:
        done: list[str] = []
        result = BookingResult(success=False)
        try:
            for field in ("car", "hotel", "flight"):
                booking = await workflow.execute_activity(
                    reserve,
                    getattr(request, f"{field}_id"),
                    start_to_close_timeout=SHORT,
                    retry_policy=RetryPolicy(
                        maximum_attempts=3, non_retryable_error_types=["ValueError"]
                    ),
                )
                setattr(result, f"{field}_booking", booking)
                done.append(booking)
            result.success = True
        except ActivityError as error:
            result.error = str(error.cause)
            for booking in reversed(done):
                await step("release", booking, tries=5)
        return result


async def test_trip_booking(client: Client) -> None:
    """Seed 001, lines 7394-7462: three bookings."""
    async with worker(client, [TripBookingSaga], [reserve, release]) as queue:
        result = await client.execute_workflow(
            TripBookingSaga.run, BookingRequest("c", "h", "f"), id=unique("trip"), task_queue=queue
        )
    assert result == BookingResult(True, "c-booked", "h-booked", "f-booked")


async def test_trip_booking_is_undone_last_first(client: Client) -> None:
    """Seed 001, lines 7440-7462 and 7464-7482: the flight is not known, the error type is not
    retried, hotel and car are given back in that order."""
    async with worker(client, [TripBookingSaga], [reserve, release]) as queue:
        handle = await client.start_workflow(
            TripBookingSaga.run,
            BookingRequest("c", "h", "invalid-f"),
            id=unique("trip"),
            task_queue=queue,
        )
        result = await handle.result()
        assert (result.success, result.flight_booking) == (False, None)
        assert result.error == "ValueError: invalid-f is not known"
        assert attempts.of(handle.id, "reserve") == 3
        payloads = [
            event.activity_task_scheduled_event_attributes.input.payloads
            for event in (await handle.fetch_history()).events
            if event.activity_task_scheduled_event_attributes.activity_type.name == "release"
        ]
        assert [(await client.data_converter.decode(p))[0] for p in payloads] == [
            "h-booked",
            "c-booked",
        ]


@activity.defn
async def reserve_inventory(items: list[str]) -> str:
    return "inv-" + "+".join(items)


@activity.defn
async def process_payment(total: float) -> str:
    attempts.count()
    if total > 1000:
        raise ApplicationError("too expensive", type="InsufficientFundsError")
    return f"pay-{total:.0f}"


@activity.defn
async def ship_order(address: str) -> str:
    if address == "nowhere":
        raise ApplicationError("no such address", non_retryable=True)
    return f"track-{address}"


@activity.defn
async def refund_payment(payment_id: str) -> str:
    return payment_id


@activity.defn
async def release_inventory(inventory_id: str) -> str:
    return inventory_id


@workflow.defn(name="OrderWorkflow")
class CompensatingOrder:
    @workflow.run
    async def run(self, items: list[str], total: float, address: str) -> dict:
        inventory_id = payment_id = None
        try:
            inventory_id = await step("reserve_inventory", items)
            payment_id = await workflow.execute_activity(
                process_payment,
                total,
                start_to_close_timeout=SHORT,
                retry_policy=RetryPolicy(
                    maximum_attempts=3, non_retryable_error_types=["InsufficientFundsError"]
                ),
            )
            return {"success": True, "tracking": await step("ship_order", address)}
        except ActivityError as error:
            if payment_id:
                await step("refund_payment", payment_id)
            if inventory_id:
                await step("release_inventory", inventory_id)
            if (
                isinstance(error.cause, ApplicationError)
                and error.cause.type == "InsufficientFundsError"
            ):
                return {"success": False, "error": "Payment declined: Insufficient funds"}
            raise


ORDER = [reserve_inventory, process_payment, ship_order, refund_payment, release_inventory]


async def test_order_declined(client: Client) -> None:
    """Seed 001, lines 7160-7215: nothing to refund, the inventory is released."""
    async with worker(client, [CompensatingOrder], ORDER) as queue:
        handle = await client.start_workflow(
            CompensatingOrder.run,
            args=[["tv"], 5000.0, "home"],
            id=unique("order"),
            task_queue=queue,
        )
        assert await handle.result() == {
            "success": False,
            "error": "Payment declined: Insufficient funds",
        }
        assert await activities_of(handle) == [
            "reserve_inventory",
            "process_payment",
            "release_inventory",
        ]
        assert attempts.of(handle.id, "process_payment") == 1


async def test_order_that_cannot_be_shipped_fails(client: Client) -> None:
    """Seed 001, lines 7190-7217: refund, then release, then the error goes on to the client."""
    async with worker(client, [CompensatingOrder], ORDER) as queue:
        handle = await client.start_workflow(
            CompensatingOrder.run,
            args=[["cd"], 5.0, "nowhere"],
            id=unique("order"),
            task_queue=queue,
        )
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        assert isinstance(caught.value.cause, ActivityError)
        assert (await activities_of(handle))[2:] == [
            "ship_order",
            "refund_payment",
            "release_inventory",
        ]


@dataclass
class OrderInfo:
    order_id: str
    total_amount: float
    idempotency_key: str
    shippable: bool = True


@activity.defn(name="charge_payment")
async def charge_payment(order: OrderInfo) -> dict:
    return {"transaction_id": f"txn-{order.idempotency_key}"}


@activity.defn(name="create_shipment")
async def create_shipment(order: OrderInfo) -> dict:
    if not order.shippable:
        raise ApplicationError("no carrier", non_retryable=True)
    return {"shipment_id": "s1", "tracking_number": f"TRK-{order.order_id}"}


@activity.defn(name="hold_stock")
async def hold_stock(order: OrderInfo) -> bool:
    return bool(order.order_id)


@activity.defn(name="free_stock")
async def free_stock(order_id: str, key: str) -> str:
    return f"{order_id}:{key}"


@activity.defn(name="give_back")
async def give_back(transaction_id: str, amount: float, key: str) -> str:
    return f"{transaction_id}:{amount}:{key}"


@activity.defn(name="send_mail")
async def send_mail(text: str) -> None:
    activity.logger.info(text)


FULFILMENT = [hold_stock, charge_payment, create_shipment, free_stock, give_back, send_mail]


@workflow.defn
class OrderFulfillmentWorkflow:
    @workflow.run
    async def run(self, order: OrderInfo) -> dict:
        undo: list[tuple[str, list]] = []
        try:
            await step("hold_stock", order)
            undo.append(("free_stock", [order.order_id, order.idempotency_key]))
            payment = await step("charge_payment", order)
            refund = [payment["transaction_id"], order.total_amount, order.idempotency_key]
            undo.append(("give_back", refund))
            shipment = await step("create_shipment", order)
            await step("send_mail", "confirmed")
            return {"status": "fulfilled", "tracking_number": shipment["tracking_number"]}
        except ActivityError as error:
            for name, arguments in reversed(undo):
                await workflow.execute_activity(name, args=arguments, start_to_close_timeout=SHORT)
            await step("send_mail", str(error.cause))
            return {"status": "failed", "error": str(error.cause)}


@pytest.mark.parametrize("shippable", [True, False])
async def test_order_fulfilment(client: Client, shippable: bool) -> None:
    """Seed 001, lines 15157-15245: compensations are kept as activity names and arguments."""
    order = OrderInfo("o1", 20.0, "key-o1", shippable)
    async with worker(client, [OrderFulfillmentWorkflow], FULFILMENT) as queue:
        handle = await client.start_workflow(
            OrderFulfillmentWorkflow.run, order, id=unique("fulfil"), task_queue=queue
        )
        result = await handle.result()
        called = (await activities_of(handle))[3:]
    if shippable:
        assert result == {"status": "fulfilled", "tracking_number": "TRK-o1"}
        assert called == ["send_mail"]
    else:
        assert result == {"status": "failed", "error": "no carrier"}
        assert called == ["give_back", "free_stock", "send_mail"]


@workflow.defn
class BookWorkflow:
    @workflow.run
    async def run(self, booking: dict) -> str:
        policy = RetryPolicy(
            initial_interval=timedelta(seconds=1),
            maximum_interval=timedelta(seconds=1),
            maximum_attempts=3,
            non_retryable_error_types=["Exception"],
        )
        undo: list[str] = []
        try:
            for name in ("book_car", "book_hotel"):
                await step(name, booking)
                undo.append(f"undo_{name}")
            await workflow.execute_activity(
                "fly", booking, start_to_close_timeout=SHORT, retry_policy=policy
            )
            return "Voyage booked"
        except ActivityError:
            for name in reversed(undo):
                await step(name, booking)
            return "Voyage cancelled"


@activity.defn
async def fly(booking: dict) -> str:
    attempts.count()
    if booking.get("full"):
        raise Exception("No seats remaining")
    return "seat 1"


@pytest.mark.parametrize(
    ("full", "expected"), [(False, "Voyage booked"), (True, "Voyage cancelled")]
)
async def test_voyage(client: Client, full: bool, expected: str) -> None:
    """Seed 002, lines 2258-2264 (the saga program it has its readers run): the type `Exception`
    is listed as not retryable, so one failure is enough."""
    async with worker(client, [BookWorkflow], [*BOOKING, fly]) as queue:
        handle = await client.start_workflow(
            BookWorkflow.run, {"trip": "v", "full": full}, id=unique("voyage"), task_queue=queue
        )
        assert await handle.result() == expected
        assert attempts.of(handle.id, "fly") == 1
