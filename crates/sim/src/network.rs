//! Calls between processes: they take time, and may lose their request, their reply or their connection.
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use abide_server::frontend::{Arrived, Method};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use tokio::sync::oneshot;
use tonic::{Code, Status};

use crate::{checks::deliveries::Deliveries, node::Node, violation::Violations, world::World};

/// How bad the network is.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// The longest way of one message.
    pub delay_max: Duration,
    /// How often a request never arrives.
    pub request_loss: f64,
    /// How often a reply never arrives although the call was carried out.
    pub reply_loss: f64,
    /// How often the connection breaks while the call is under way.
    pub reset: f64,
}

impl Weather {
    pub const FAIR: Self = Self { delay_max: Duration::from_millis(2), request_loss: 0.0, reply_loss: 0.0, reset: 0.0 };
}

/// Why a call has no reply.
#[derive(Clone, Debug)]
pub enum CallError {
    /// Nobody knows whether it was carried out.
    Lost,
    /// The server refused it.
    Refused(Status),
}

/// The way to the server.
pub struct Network {
    world: World,
    node: Arc<Node>,
    weather: Mutex<Weather>,
    violations: Violations,
    /// Sees every reply that leaves the server, whether it arrives or not.
    deliveries: Arc<Deliveries>,
}

impl Network {
    pub fn new(world: &World, node: &Arc<Node>, violations: &Violations, deliveries: &Arc<Deliveries>) -> Self {
        Self {
            world: world.clone(),
            node: Arc::clone(node),
            weather: Mutex::new(Weather::FAIR),
            violations: violations.clone(),
            deliveries: Arc::clone(deliveries),
        }
    }

    pub fn set_weather(&self, weather: Weather) {
        *self.weather.lock().unwrap_or_else(PoisonError::into_inner) = weather;
    }

    /// One attempt of a call, from request to reply or to its deadline.
    pub async fn call(&self, method: &'static Method, message: Bytes, timeout: Duration) -> Result<Bytes, CallError> {
        let weather = *self.weather.lock().unwrap_or_else(PoisonError::into_inner);
        let deadline = self.world.now() + timeout;
        self.world.sleep(self.world.span(Duration::from_micros(20), weather.delay_max)).await;
        if self.world.chance(weather.request_loss) {
            self.world.sleep_until(deadline).await;
            return Err(CallError::Lost);
        }
        let Some((group, frontend)) = self.node.frontend() else { return Err(CallError::Lost) };
        let (mut reply, outcome) = oneshot::channel();
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(&format!("{}m", timeout.as_millis().min(99_999_999))) {
            headers.insert("grpc-timeout", value);
        }
        let arrived = Arrived { headers, message, method: method.name };
        let deliveries = Arc::clone(&self.deliveries);
        self.world.spawn(group, async move {
            tokio::select! {
                biased;
                answer = (method.run)(frontend, arrived) => {
                    if let Ok(bytes) = &answer {
                        deliveries.note(method.name, bytes);
                    }
                    drop(reply.send(answer));
                }
                // The caller is gone, and with it the connection.
                () = reply.closed() => {}
            }
        });
        let breaks_at = match self.world.chance(weather.reset) {
            // Soon, or when a poll may have got something.
            true => {
                let soon = if self.world.chance(0.5) { Duration::from_millis(20) } else { Duration::from_secs(3) };
                self.world.now() + self.world.span(Duration::ZERO, soon)
            }
            false => deadline,
        };
        let answer = tokio::select! {
            biased;
            answer = outcome => answer.map_err(|_| CallError::Lost)?,
            () = self.world.sleep_until(breaks_at.min(deadline)) => return Err(CallError::Lost),
        };
        if self.world.chance(weather.reply_loss) {
            self.world.sleep_until(deadline).await;
            return Err(CallError::Lost);
        }
        self.world.sleep(self.world.span(Duration::from_micros(20), weather.delay_max)).await;
        match answer {
            Ok(bytes) => Ok(bytes),
            Err(status) => {
                if matches!(status.code(), Code::Internal | Code::Unknown | Code::DataLoss | Code::Unimplemented) {
                    self.violations.add(format!("{} was answered with {status:?}", method.name));
                }
                Err(CallError::Refused(status))
            }
        }
    }
}
