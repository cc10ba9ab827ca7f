//! What waits for a thread of a store: a bounded queue that refuses at once when it is full or closed.

use accord_core::store::{Done, Look, StoreFault, Work};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

/// A transaction in the queue.
pub(crate) struct Job {
    pub(crate) work: Work,
    pub(crate) done: Done,
}

/// A look in the queue.
pub(crate) struct Glance {
    pub(crate) look: Look,
    pub(crate) done: Done,
}

/// Something that is told how it ended, also when it never began.
pub(crate) trait Waiting {
    /// What they are called together, and who takes them.
    const NAMES: (&'static str, &'static str);

    /// Who is told.
    fn done(self) -> Done;
}

impl Waiting for Job {
    const NAMES: (&'static str, &'static str) = ("transactions", "writers");

    fn done(self) -> Done {
        self.done
    }
}

impl Waiting for Glance {
    const NAMES: (&'static str, &'static str) = ("looks", "readers");

    fn done(self) -> Done {
        self.done
    }
}

/// The end of a queue where work comes in.
pub(crate) struct Queue<T>(Option<Sender<T>>);

impl<T: Waiting> Queue<T> {
    /// A queue for so many, and the end that threads take from.
    pub(crate) fn new(room: usize) -> (Queue<T>, Receiver<T>) {
        let (sender, receiver) = bounded(room.max(1));
        (Queue(Some(sender)), receiver)
    }

    /// Queues it, or tells it at once why not.
    pub(crate) fn submit(&self, waiting: T) {
        let (many, takers) = T::NAMES;
        let (refused, why) = match &self.0 {
            None => (waiting, "the store is closed".to_owned()),
            Some(sender) => match sender.try_send(waiting) {
                Ok(()) => return,
                Err(TrySendError::Full(refused)) => (refused, format!("too many {many} are waiting")),
                Err(TrySendError::Disconnected(refused)) => (refused, format!("the {takers} have stopped")),
            },
        };
        refused.done()(Err(StoreFault::Unavailable(why)));
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, Sender::len)
    }

    /// Takes no more; threads finish what is queued and stop.
    pub(crate) fn close(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn what_does_not_fit_is_told_so_at_once() {
        let (queue, taker) = Queue::<Glance>::new(1);
        let (send, told) = mpsc::channel();
        let glance = || {
            let send = send.clone();
            Glance { look: Box::new(|_| {}), done: Box::new(move |end| send.send(end).unwrap()) }
        };
        queue.submit(glance());
        assert_eq!(queue.len(), 1);
        assert!(told.try_recv().is_err());
        queue.submit(glance());
        let unavailable = |why: &str| Err(StoreFault::Unavailable(why.to_owned()));
        assert_eq!(told.try_recv(), Ok(unavailable("too many looks are waiting")));
        drop(taker);
        queue.submit(glance());
        assert_eq!(told.try_recv(), Ok(unavailable("the readers have stopped")));
    }
}
