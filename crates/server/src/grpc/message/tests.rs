#![allow(clippy::unwrap_used)]
use std::convert::Infallible;

use http::HeaderValue;
use http_body::Frame;
use http_body_util::StreamBody;
use libdeflater::{CompressionLvl, Compressor};
use tonic::Code;

use super::*;

/// Reads what arrives in these pieces.
async fn read_pieces(pieces: Vec<Vec<u8>>, encoding: Option<&'static str>) -> Result<Bytes, Status> {
    let frames = pieces.into_iter().map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::from(piece))));
    let headers = encoding.map(|encoding| ("grpc-encoding".parse().unwrap(), HeaderValue::from_static(encoding)));
    read(StreamBody::new(tokio_stream::iter(frames)), &headers.into_iter().collect()).await
}

fn framed(compressed: u8, message: &[u8]) -> Vec<u8> {
    [&[compressed], u32::try_from(message.len()).unwrap().to_be_bytes().as_slice(), message].concat()
}

#[tokio::test]
async fn a_message_is_put_together_from_any_pieces() {
    let whole = framed(0, b"hello");
    for cut in 0..whole.len() {
        let pieces = vec![whole[..cut].to_vec(), whole[cut..].to_vec()];
        assert_eq!(read_pieces(pieces, None).await.unwrap(), b"hello".as_slice());
    }
    assert_eq!(read_pieces(vec![framed(0, b"")], None).await.unwrap(), b"".as_slice());
}

#[tokio::test]
async fn a_large_message_is_refused_by_its_length() {
    let refused = read_pieces(vec![vec![0, 0x00, 0x40, 0x00, 0x01]], None).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(refused.message(), "grpc: received message larger than max (4194305 vs. 4194304)");
}

#[tokio::test]
async fn a_message_that_ends_early_is_an_error() {
    assert_eq!(read_pieces(vec![vec![0, 0, 0, 0, 9, 1]], None).await.unwrap_err().code(), Code::Internal);
}

#[tokio::test]
async fn gzip_is_unpacked_up_to_the_limit() {
    let gzip = |size: usize| {
        let mut packer = Compressor::new(CompressionLvl::default());
        let mut packed = vec![0; packer.gzip_compress_bound(size)];
        let length = packer.gzip_compress(&vec![7; size], &mut packed).unwrap();
        packed.truncate(length);
        packed
    };
    let packed = |size: usize| framed(1, &gzip(size));
    for size in [0, 1, 100, RECEIVE_LIMIT_BYTES] {
        assert_eq!(read_pieces(vec![packed(size)], Some("gzip")).await.unwrap(), vec![7; size]);
    }
    let bomb = read_pieces(vec![packed(RECEIVE_LIMIT_BYTES + 1)], Some("gzip")).await.unwrap_err();
    let mut lies = gzip(100);
    let length_at = lies.len() - 4;
    lies[length_at] = 99;
    assert_eq!(read_pieces(vec![framed(1, &lies)], Some("gzip")).await.unwrap_err().code(), Code::Internal);
    let mut damaged = gzip(100);
    damaged[length_at - 1] ^= 1;
    let refused = read_pieces(vec![framed(1, &damaged)], Some("gzip")).await.unwrap_err();
    assert!(refused.message().starts_with("grpc: failed to decompress the received message: "), "its checksum differs");
    assert_eq!(bomb.code(), Code::ResourceExhausted);
    assert_eq!(read_pieces(vec![framed(1, b"x")], Some("gzip")).await.unwrap_err().code(), Code::Internal);
    assert_eq!(read_pieces(vec![framed(1, b"x")], Some("br")).await.unwrap_err().code(), Code::Unimplemented);
    assert_eq!(read_pieces(vec![framed(1, b"x")], None).await.unwrap_err().code(), Code::Internal);
}

#[test]
fn a_reply_is_framed() {
    assert_eq!(frame(&"ab".to_owned()).unwrap(), [&[0, 0, 0, 0, 4, 10, 2], b"ab".as_slice()].concat());
}
