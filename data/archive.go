package data

import (
	"archive/tar"
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxMembers bounds the directory of an archive.
const maxMembers = 10_000_000

// listZip finds the pictures in a zip archive. Only the directory is read; members are found again by their offset,
// so that no archive stays open.
func listZip(path string) ([]Item, error) {
	r, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("open zip: %w", err)
	}
	defer r.Close()
	var items []Item
	for _, f := range r.File {
		if f.FileInfo().IsDir() || !wanted(f.Name) {
			continue
		}
		m, err := zipMember(path, f)
		if err != nil {
			return nil, fmt.Errorf("member %q: %w", f.Name, err)
		}
		items = append(items, Item{Path: path + "/" + f.Name, Key: f.Name, member: m})
	}
	return items, nil
}

func zipMember(path string, f *zip.File) (*member, error) {
	const encrypted = 1
	switch {
	case f.Flags&encrypted != 0:
		return nil, errors.New("is encrypted: unpack the archive first")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return nil, fmt.Errorf("compression method %d is not supported: unpack the archive first", f.Method)
	}
	offset, err := f.DataOffset()
	if err != nil {
		return nil, err
	}
	return &member{
		archive: path, offset: offset, packed: int64(f.CompressedSize64), size: int64(f.UncompressedSize64),
		deflated: f.Method == zip.Deflate, crc: &f.CRC32,
	}, nil
}

// listTar finds the pictures in an uncompressed tar archive by walking its headers.
func listTar(path string) ([]Item, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := tar.NewReader(f)
	var items []Item
	for range maxMembers {
		h, err := r.Next()
		if err == io.EOF {
			return items, nil
		}
		if err != nil {
			return nil, fmt.Errorf("after %d pictures: read tar: %w", len(items), err)
		}
		if h.Typeflag != tar.TypeReg || !wanted(h.Name) {
			continue
		}
		offset, err := f.Seek(0, io.SeekCurrent) // the reader reads whole blocks, so the content begins here
		if err != nil {
			return nil, err
		}
		items = append(items, Item{Path: path + "/" + h.Name, Key: h.Name,
			member: &member{archive: path, offset: offset, packed: h.Size, size: h.Size}})
	}
	return nil, fmt.Errorf("more than %d members", maxMembers)
}
